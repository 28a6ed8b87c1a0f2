//! What a schema registry must do for us, asked over plain HTTP: one suite for ours and for Apicurio's.
//!
//! Where one of them legitimately answers otherwise than Confluent's, [`Otherwise`] says so by name, and the suite
//! checks that other answer just as strictly, so that the list stays true.

mod asked;
mod bus;
mod changing;
mod finding;

use devstack::Backbone;
use url::Url;

use self::asked::Registry;
use crate::apicurio::Apicurio;

/// A way in which a registry legitimately differs from Confluent's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Otherwise {
    /// It accepts mode IMPORT and gives ids of its own all the same.
    GivesItsOwnIds,
    /// The level of all subjects is `NONE` until somebody sets another; ours begins with what our contract needs.
    StartsWithoutLevel,
    /// It knows neither `?defaultToGlobal=true` nor the refusal of a subject without a level or mode of its own.
    HidesWhetherASubjectHasItsOwn,
    /// Version 0 is one that it does not find (40402), not one that cannot be (42202).
    TakesVersionZero,
    /// A compatibility check gives no reasons, though it is asked for them.
    GivesNoReasons,
    /// A compatibility check against all versions of an unknown subject is refused (40401), not affirmed.
    ChecksKnownSubjectsOnly,
    /// It registers an empty text.
    TakesAnEmptySchema,
    /// Answers call themselves plain JSON.
    AnswersPlainJson,
}

const APICURIO: &[Otherwise] = &[
    Otherwise::GivesItsOwnIds,
    Otherwise::StartsWithoutLevel,
    Otherwise::HidesWhetherASubjectHasItsOwn,
    Otherwise::TakesVersionZero,
    Otherwise::GivesNoReasons,
    Otherwise::ChecksKnownSubjectsOnly,
    Otherwise::TakesAnEmptySchema,
    Otherwise::AnswersPlainJson,
];

const OURS: &[Otherwise] = &[];

/// Everything, in an order in which the subjects of one check do not disturb another.
async fn keeps_the_contract(backbone: &Backbone, base: &Url, otherwise: &'static [Otherwise]) {
    let registry = Registry::new(base, otherwise);
    changing::it_begins_empty_and_the_level_is_full_transitive(&registry).await;
    // First of those that register: the ids of `schemas/ids.lock` are still free.
    bus::our_own_client_restores_writes_and_reads(backbone, &registry).await;
    finding::a_schema_is_registered_once_whoever_registers_it(&registry).await;
    finding::a_schema_is_found_by_id_version_and_text(&registry).await;
    finding::what_is_not_there_has_its_code(&registry).await;
    changing::a_version_that_another_cannot_read_is_a_conflict(&registry).await;
    changing::every_earlier_version_counts(&registry).await;
    changing::a_check_says_what_a_registration_would(&registry).await;
    changing::a_subject_may_have_a_level_of_its_own(&registry).await;
    changing::what_is_no_avro_schema_is_refused(&registry).await;
    changing::ids_are_given_in_import_mode(&registry).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_registry_keeps_the_contract() {
    let home = tempfile::tempdir().unwrap();
    let test = "our_registry_keeps_the_contract";
    let Some(backbone) = Backbone::for_test(test, home.path()).await else { return };
    keeps_the_contract(&backbone, &backbone.registry().clone(), OURS).await;
    backbone.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn apicurio_keeps_the_contract() {
    let home = tempfile::tempdir().unwrap();
    let Some(apicurio) = Apicurio::start(home.path()).await else { return };
    let test = "apicurio_keeps_the_contract";
    let Some(backbone) = Backbone::for_test(test, home.path()).await else { return apicurio.stop().await };
    keeps_the_contract(&backbone, apicurio.base(), APICURIO).await;
    backbone.stop().await;
    apicurio.stop().await;
}
