//! Sign-ins that a program begins and a person confirms in a browser (RFC 8628); no I/O.

use std::{collections::BTreeMap, io};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};

use super::Entropy;

/// How long a person may take.
pub(super) const LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// How long a program waits between two questions.
pub(super) const INTERVAL: SignedDuration = SignedDuration::from_secs(1);
/// How much longer it waits after each question that came too soon (RFC 8628, 3.5).
const SLOWER: SignedDuration = SignedDuration::from_secs(5);
/// How many sign-ins are remembered at once; more than this on one machine is a program gone wild.
const AT_MOST: usize = 64;
/// No vowels, so that no words come up, and nothing that looks alike (RFC 8628, 6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const USER_CODE_LENGTH: usize = 8;

/// What a person decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Allowed { username: String },
    Denied,
}

/// What a program is told that asks for its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Poll {
    Allowed { username: String },
    Denied,
    Pending,
    TooSoon,
    Expired,
    Unknown,
}

/// What a program is told that begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Begun {
    pub device_code: String,
    pub user_code: String,
}

/// Why a sign-in cannot begin.
#[derive(Debug, thiserror::Error)]
pub(super) enum BeginError {
    #[error("{AT_MOST} sign-ins wait already; try again when some of them ended")]
    Full,
    #[error("no code could be drawn")]
    Entropy(#[from] io::Error),
}

#[derive(Debug)]
struct SignIn {
    user_code: String,
    /// Stands in the form of its page alone, so that no other page can send that form.
    form_key: String,
    expires_at: Timestamp,
    interval: SignedDuration,
    asked_at: Option<Timestamp>,
    decision: Option<Decision>,
}

/// The sign-ins under way, by device code.
#[derive(Debug, Default)]
pub(super) struct Devices {
    under_way: BTreeMap<String, SignIn>,
}

impl Devices {
    /// Begins a sign-in.
    pub(super) fn begin(&mut self, now: Timestamp, entropy: &dyn Entropy) -> Result<Begun, BeginError> {
        // One that expired is kept as long again, to say so to its program.
        self.under_way.retain(|_, sign_in| now < sign_in.expires_at + LIFETIME);
        if self.under_way.len() >= AT_MOST {
            self.under_way.retain(|_, sign_in| now < sign_in.expires_at);
        }
        if self.under_way.len() >= AT_MOST {
            return Err(BeginError::Full);
        }
        let (device_code, form_key) = (text(entropy)?, text(entropy)?);
        let user_code = loop {
            let drawn = user_code(entropy)?;
            if self.under_way.values().all(|other| other.user_code != drawn) {
                break drawn;
            }
        };
        let begun = Begun { device_code: device_code.clone(), user_code: shown(&user_code) };
        let sign_in = SignIn {
            user_code,
            form_key,
            expires_at: now + LIFETIME,
            interval: INTERVAL,
            asked_at: None,
            decision: None,
        };
        self.under_way.insert(device_code, sign_in);
        Ok(begun)
    }

    /// The code as it is shown and the key of its form, while nobody decided.
    pub(super) fn page_of(&self, user_code: &str, now: Timestamp) -> Option<(String, String)> {
        let typed = typed(user_code);
        let sign_in = self.under_way.values().find(|sign_in| sign_in.waits_for(&typed, now))?;
        Some((shown(&sign_in.user_code), sign_in.form_key.clone()))
    }

    /// Takes a decision in; false when no sign-in waits for it or the form was not ours.
    pub(super) fn decide(
        &mut self,
        user_code: &str,
        form_key: &str,
        decision: Decision,
        now: Timestamp,
    ) -> bool {
        let typed = typed(user_code);
        let waiting = self.under_way.values_mut().find(|sign_in| sign_in.waits_for(&typed, now));
        let ours = waiting.filter(|sign_in| {
            let known = sign_in.form_key.as_bytes();
            aws_lc_rs::constant_time::verify_slices_are_equal(known, form_key.as_bytes()).is_ok()
        });
        match ours {
            Some(sign_in) => {
                sign_in.decision = Some(decision);
                true
            }
            None => false,
        }
    }

    /// What became of a sign-in; a decision is told once.
    pub(super) fn poll(&mut self, device_code: &str, now: Timestamp) -> Poll {
        let Some(sign_in) = self.under_way.get_mut(device_code) else { return Poll::Unknown };
        if now >= sign_in.expires_at {
            return Poll::Expired;
        }
        let Some(decision) = sign_in.decision.take() else {
            let soon = sign_in.asked_at.is_some_and(|before| now < before + sign_in.interval);
            sign_in.asked_at = Some(now);
            if soon {
                sign_in.interval += SLOWER;
                return Poll::TooSoon;
            }
            return Poll::Pending;
        };
        self.under_way.remove(device_code);
        match decision {
            Decision::Allowed { username } => Poll::Allowed { username },
            Decision::Denied => Poll::Denied,
        }
    }
}

impl SignIn {
    fn waits_for(&self, user_code: &str, now: Timestamp) -> bool {
        self.user_code == user_code && self.decision.is_none() && now < self.expires_at
    }
}

/// Twice 128 random bits as text.
fn text(entropy: &dyn Entropy) -> io::Result<String> {
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn user_code(entropy: &dyn Entropy) -> io::Result<String> {
    let mut code = String::with_capacity(USER_CODE_LENGTH);
    while code.len() < USER_CODE_LENGTH {
        let mut byte = [0];
        entropy.fill(&mut byte)?;
        // The rest of the division would favour the first letters.
        if byte[0] < 240 {
            code.push(char::from(LETTERS[usize::from(byte[0]) % LETTERS.len()]));
        }
    }
    Ok(code)
}

/// In two halves, which are easier to compare.
fn shown(user_code: &str) -> String {
    let (first, second) = user_code.split_at(USER_CODE_LENGTH / 2);
    format!("{first}-{second}")
}

/// A code as a person may type it: in any case, with or without the hyphen.
fn typed(user_code: &str) -> String {
    let letters = user_code.chars().filter(char::is_ascii_alphabetic);
    letters.take(USER_CODE_LENGTH + 1).map(|letter| letter.to_ascii_uppercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issuer::entropy::testing::Counting;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_772_366_400 + seconds).unwrap()
    }

    fn allowed() -> Decision {
        Decision::Allowed { username: "ada".to_owned() }
    }

    #[test]
    fn a_program_that_asks_too_soon_is_slowed_down_further_each_time() {
        let (mut devices, entropy) = (Devices::default(), Counting::default());
        let code = devices.begin(at(0), &entropy).unwrap().device_code;
        for (second, expected) in [
            (0, Poll::Pending),
            (1, Poll::Pending),
            (1, Poll::TooSoon), // from now on six seconds
            (6, Poll::TooSoon), // from now on eleven
            (16, Poll::TooSoon),
            (32, Poll::Pending),
            (599, Poll::Pending),
            (600, Poll::Expired),
        ] {
            assert_eq!(devices.poll(&code, at(second)), expected, "second {second}");
        }
    }

    #[test]
    fn a_decision_is_told_once_and_even_to_who_asks_too_soon() {
        for (decision, told) in
            [(allowed(), Poll::Allowed { username: "ada".to_owned() }), (Decision::Denied, Poll::Denied)]
        {
            let (mut devices, entropy) = (Devices::default(), Counting::default());
            let begun = devices.begin(at(0), &entropy).unwrap();
            assert_eq!(devices.poll(&begun.device_code, at(0)), Poll::Pending);
            let (_, key) = devices.page_of(&begun.user_code, at(0)).unwrap();
            assert!(devices.decide(&begun.user_code, &key, decision.clone(), at(0)));
            assert!(!devices.decide(&begun.user_code, &key, decision, at(0)), "decided is decided");
            assert_eq!(devices.poll(&begun.device_code, at(0)), told);
            assert_eq!(devices.poll(&begun.device_code, at(9)), Poll::Unknown);
        }
    }

    #[test]
    fn a_code_is_taken_as_people_type_it() {
        let (mut devices, entropy) = (Devices::default(), Counting::default());
        let begun = devices.begin(at(0), &entropy).unwrap();
        assert_eq!(begun.user_code, "CGDG-JGKH");
        for typed in ["CGDG-JGKH", "cgdgjgkh", " cgdg jgkh "] {
            assert!(devices.page_of(typed, at(0)).is_some(), "{typed}");
        }
        for other in ["", "CGDG", "CGDG-JGKH-R", "JGKH-CGDG"] {
            assert_eq!(devices.page_of(other, at(0)), None, "{other}");
        }
        assert_eq!(devices.page_of("CGDG-JGKH", at(600)), None);
    }

    #[test]
    fn a_form_that_is_not_ours_decides_nothing() {
        let (mut devices, entropy) = (Devices::default(), Counting::default());
        let (mine, theirs) =
            (devices.begin(at(0), &entropy).unwrap(), devices.begin(at(0), &entropy).unwrap());
        let (_, key) = devices.page_of(&mine.user_code, at(0)).unwrap();
        for (user_code, key) in
            [(&mine.user_code, ""), (&mine.user_code, "guess"), (&theirs.user_code, &*key)]
        {
            assert!(!devices.decide(user_code, key, allowed(), at(0)));
        }
        assert_eq!(devices.poll(&mine.device_code, at(0)), Poll::Pending);
    }

    #[test]
    fn the_number_of_sign_ins_is_bounded_until_some_expire() {
        let (mut devices, entropy) = (Devices::default(), Counting::default());
        let first = devices.begin(at(0), &entropy).unwrap();
        for _ in 1..AT_MOST {
            devices.begin(at(1), &entropy).unwrap();
        }
        assert!(matches!(devices.begin(at(2), &entropy), Err(BeginError::Full)));
        devices.begin(at(600), &entropy).unwrap();
        assert_eq!(devices.poll(&first.device_code, at(600)), Poll::Unknown, "it made room");
        assert!(matches!(devices.begin(at(600), &entropy), Err(BeginError::Full)));
    }
}
