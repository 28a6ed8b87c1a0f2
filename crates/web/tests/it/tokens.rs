use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::{FutureExt as _, future::join_all};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::AlgorithmParameters};
use runtime::{Clock as _, Lifecycle, testing::FixedClock};
use serde_json::json;
use web::{AuthError, Verifier, testing::Issuer};

use crate::app::AUDIENCE;

struct World {
    _lifecycle: Lifecycle,
    clock: FixedClock,
    issuer: Issuer,
    verifier: Verifier,
}

fn world() -> World {
    let lifecycle = Lifecycle::manual();
    let clock = FixedClock::default();
    let issuer = Issuer::start(&lifecycle, Arc::new(clock.clone()));
    let verifier = issuer.verifier(&lifecycle, AUDIENCE);
    World { _lifecycle: lifecycle, clock, issuer, verifier }
}

impl World {
    async fn refusal(&self, token: &str) -> String {
        match self.verifier.verify(token).await {
            Ok(principal) => format!("accepted {principal:?}"),
            Err(error) => error.to_string(),
        }
    }

    fn good(&self) -> String {
        self.issuer.token(&json!({ "aud": AUDIENCE }))
    }
}

#[tokio::test]
async fn a_good_token_is_accepted_also_with_several_audiences() {
    let world = world();
    assert_eq!(world.verifier.verify(&world.good()).await.unwrap().subject, "someone");
    let several = world.issuer.token(&json!({ "aud": ["account", AUDIENCE], "sub": "ada" }));
    assert_eq!(world.verifier.verify(&several).await.unwrap().subject, "ada");
}

#[tokio::test]
async fn wrong_claims_are_refused() {
    let world = world();
    let now = world.clock.now().as_second();
    for (claims, expected) in [
        (json!({ "aud": AUDIENCE, "iss": "https://evil.example" }), "the token is of another issuer"),
        (json!({ "aud": "account" }), "the token is for another audience"),
        (json!({ "aud": null }), "the token lacks one of `aud`, `exp`, `iss` and `sub`"),
        (json!({ "aud": AUDIENCE, "iss": null }), "the token lacks one of `aud`, `exp`, `iss` and `sub`"),
        (json!({ "aud": AUDIENCE, "exp": now - 11 }), "the token has expired"),
        (json!({ "aud": AUDIENCE, "nbf": now + 60 }), "the token is not valid yet"),
        (json!({ "aud": AUDIENCE, "typ": "ID" }), "the token is not an access token"),
        (json!({ "aud": AUDIENCE, "sub": "" }), "the token has no subject"),
        (json!({ "aud": AUDIENCE, "tenant_id": ["acme", "other"] }), "the token names several tenants"),
    ] {
        assert_eq!(world.refusal(&world.issuer.token(&claims)).await, expected, "{claims}");
    }
}

#[tokio::test]
async fn a_token_without_signature_is_refused() {
    let world = world();
    let good = world.good();
    let claims = good.split('.').nth(1).unwrap();
    for algorithm in ["none", "None", "NONE"] {
        let header =
            URL_SAFE_NO_PAD.encode(json!({ "alg": algorithm, "kid": world.issuer.key_id() }).to_string());
        assert_eq!(
            world.refusal(&format!("{header}.{claims}.")).await,
            "the token is not a signed JSON web token"
        );
    }
    let (head, _) = good.rsplit_once('.').unwrap();
    assert_eq!(world.refusal(&format!("{head}.")).await, "the token's signature is wrong");
}

#[tokio::test]
async fn the_public_key_is_no_secret_to_sign_with() {
    let world = world();
    let published = world.issuer.published();
    let AlgorithmParameters::RSA(rsa) = &published[0].algorithm else { panic!("not an RSA key") };
    let jwk = serde_json::to_string(&published[0]).unwrap();
    let header = Header { kid: Some(world.issuer.key_id()), ..Header::new(Algorithm::HS256) };
    for secret in [rsa.n.as_bytes(), &URL_SAFE_NO_PAD.decode(&rsa.n).unwrap(), jwk.as_bytes()] {
        let claims = world.issuer.claims(&json!({ "aud": AUDIENCE }));
        let forged = encode(&header, &claims, &EncodingKey::from_secret(secret)).unwrap();
        assert_eq!(world.refusal(&forged).await, "the token's signature algorithm is not accepted");
    }
}

#[tokio::test]
async fn a_key_is_used_with_its_own_algorithm_only() {
    let world = world();
    let header = Header { kid: Some(world.issuer.key_id()), ..Header::new(Algorithm::PS256) };
    let token = world.issuer.token_with(&header, &json!({ "aud": AUDIENCE }));
    assert_eq!(world.refusal(&token).await, "the token's signature algorithm is not accepted");
}

#[tokio::test]
async fn changed_claims_do_not_fit_the_signature() {
    let world = world();
    let (good, other) = (world.good(), world.issuer.person(AUDIENCE, "eve", "stoa", &["cpi-admin"]));
    let part = |token: &str, index| token.split('.').nth(index).unwrap().to_owned();
    let forged = format!("{}.{}.{}", part(&good, 0), part(&other, 1), part(&good, 2));
    assert_eq!(world.refusal(&forged).await, "the token's signature is wrong");
}

#[tokio::test]
async fn what_is_no_token_is_refused_without_asking_the_issuer() {
    let world = world();
    for text in ["", "a", "a.b.c", "....", &"x".repeat(100_000)] {
        assert!(matches!(world.verifier.verify(text).await, Err(AuthError::Malformed)));
    }
    let nameless = world.issuer.token_with(&Header::new(Algorithm::RS256), &json!({ "aud": AUDIENCE }));
    assert!(matches!(world.verifier.verify(&nameless).await, Err(AuthError::UnknownKey)));
    assert_eq!(world.issuer.fetches(), 0);
}

#[tokio::test]
async fn a_remembered_token_ends_when_its_time_does() {
    let world = world();
    let token = world.good();
    world.verifier.verify(&token).await.unwrap();
    world.clock.advance(Duration::from_secs(299));
    world.verifier.verify(&token).await.unwrap();
    world.clock.advance(Duration::from_secs(12));
    assert_eq!(world.refusal(&token).await, "the token has expired");
}

#[tokio::test]
async fn many_requests_at_the_start_fetch_the_keys_once() {
    let world = world();
    let token = world.good();
    let answers = join_all((0..50).map(|_| world.verifier.verify(&token))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(world.issuer.fetches(), 1);
}

#[tokio::test]
async fn a_fetch_goes_on_when_the_caller_who_began_it_gives_up() {
    let world = world();
    let token = world.good();
    assert!(world.verifier.verify(&token).now_or_never().is_none(), "it waits for the keys");
    world.verifier.verify(&token).await.unwrap();
    assert_eq!(world.issuer.fetches(), 1);
}

#[tokio::test]
async fn an_unknown_key_is_fetched_once_and_then_not_for_a_while() {
    let world = world();
    world.verifier.verify(&world.good()).await.unwrap();
    world.clock.advance(Duration::from_secs(10));
    world.issuer.rotate();
    let token = world.good();
    let answers = join_all((0..50).map(|_| world.verifier.verify(&token))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(world.issuer.fetches(), 2);

    let stranger = Header { kid: Some("stranger".to_owned()), ..Header::new(Algorithm::RS256) };
    let forged = world.issuer.token_with(&stranger, &json!({ "aud": AUDIENCE }));
    let answers = join_all((0..50).map(|_| world.verifier.verify(&forged))).await;
    assert!(answers.iter().all(|answer| matches!(answer, Err(AuthError::UnknownKey))));
    assert_eq!(world.issuer.fetches(), 2, "the floor holds");
    world.clock.advance(Duration::from_secs(10));
    assert!(matches!(world.verifier.verify(&forged).await, Err(AuthError::UnknownKey)));
    assert_eq!(world.issuer.fetches(), 3);
}

#[tokio::test]
async fn stale_keys_serve_while_the_issuer_is_down_but_not_for_ever() {
    let world = world();
    world.verifier.verify(&world.good()).await.unwrap();
    world.issuer.set_down(true);
    world.clock.advance(Duration::from_mins(59));
    world.verifier.verify(&world.good()).await.unwrap();

    world.clock.advance(Duration::from_mins(1));
    let token = world.good();
    assert!(matches!(world.verifier.verify(&token).await, Err(AuthError::Unavailable)));
    world.issuer.set_down(false);
    world.clock.advance(Duration::from_secs(10));
    world.verifier.verify(&token).await.unwrap();
}

#[tokio::test]
async fn stale_keys_are_replaced_in_the_background() {
    let world = world();
    let old = world.issuer.token(&json!({ "aud": AUDIENCE, "exp": world.clock.now().as_second() + 86_400 }));
    world.verifier.verify(&old).await.unwrap();
    world.issuer.rotate();
    world.issuer.retire();
    world.clock.advance(Duration::from_mins(5));
    // The stale key still verifies; the fetch that this begins takes it away, also for remembered tokens.
    world.verifier.verify(&old).await.unwrap();
    let refused = async {
        while world.verifier.verify(&old).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), refused).await.unwrap();
    assert_eq!(world.refusal(&old).await, "the token is signed with a key that its issuer does not have");
    assert_eq!(world.issuer.fetches(), 2);
}

#[tokio::test]
async fn an_issuer_that_was_never_reached_is_unavailable() {
    let world = world();
    world.issuer.set_down(true);
    let token = world.good();
    for _ in 0..5 {
        assert!(matches!(world.verifier.verify(&token).await, Err(AuthError::Unavailable)));
    }
    assert_eq!(world.issuer.fetches(), 1);
}
