//! How fields are written where serde's default is not what the schema says.

/// Timestamps as milliseconds since the epoch (`timestamp-millis`).
pub(crate) mod millis {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        time.as_millisecond().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        Timestamp::from_millisecond(i64::deserialize(deserializer)?).map_err(D::Error::custom)
    }

    pub(crate) mod option {
        use jiff::Timestamp;
        use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

        #[expect(clippy::ref_option, reason = "serde's `with` gives a reference to the field")]
        pub(crate) fn serialize<S: Serializer>(
            time: &Option<Timestamp>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            time.map(Timestamp::as_millisecond).serialize(serializer)
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Timestamp>, D::Error> {
            let millis = Option::<i64>::deserialize(deserializer)?;
            millis.map(Timestamp::from_millisecond).transpose().map_err(D::Error::custom)
        }
    }
}

/// UUIDs as text, whatever the format thinks of human readers.
pub(crate) mod uuid {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use uuid::Uuid;

    pub(crate) fn serialize<S: Serializer>(id: &Uuid, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(id)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
        Uuid::try_parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }

    pub(crate) mod option {
        use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
        use uuid::Uuid;

        #[expect(clippy::ref_option, reason = "serde's `with` gives a reference to the field")]
        pub(crate) fn serialize<S: Serializer>(id: &Option<Uuid>, serializer: S) -> Result<S::Ok, S::Error> {
            id.map(|id| id.to_string()).serialize(serializer)
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Uuid>, D::Error> {
            let text = Option::<String>::deserialize(deserializer)?;
            text.as_deref().map(Uuid::try_parse).transpose().map_err(D::Error::custom)
        }
    }
}
