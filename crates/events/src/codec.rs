//! Avro bodies of one record type.
//!
//! A body written with our own schema is read straight into the type. One written with another version is
//! decoded with its writer's schema, resolved to ours, and then read the same way: apache-avro's direct reader
//! does not resolve (it panics when given a reader schema), and its `Value` reader disagrees with it on enums,
//! so there is one reader and one step before it.

use apache_avro::{
    Schema, rabin::Rabin, reader::datum::GenericDatumReader, types::Value, writer::datum::GenericDatumWriter,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::error::WireError;

/// The prepared encoder and decoder of one schema.
pub struct Codec {
    schema: &'static Schema,
    fingerprint: Vec<u8>,
    writer: GenericDatumWriter<'static>,
    reader: GenericDatumReader<'static>,
}

impl Codec {
    /// Prepares `text`, a schema that ships with this crate and is therefore known to parse.
    ///
    /// # Panics
    ///
    /// When `text` is not an Avro schema.
    #[must_use]
    pub fn new(text: &str) -> Self {
        // Lives as long as the process: there is one codec per record type.
        let schema: &'static Schema =
            Box::leak(Box::new(Schema::parse_str(text).expect("a shipped schema parses")));
        let writer = GenericDatumWriter::builder(schema).human_readable(true).build();
        let reader = GenericDatumReader::builder(schema).human_readable(true).build();
        Self {
            schema,
            fingerprint: schema.fingerprint::<Rabin>().bytes,
            writer: writer.expect("a shipped schema resolves"),
            reader: reader.expect("a shipped schema resolves"),
        }
    }

    /// The schema.
    #[must_use]
    pub fn schema(&self) -> &'static Schema {
        self.schema
    }

    /// Appends the body of `record` to `out`.
    pub(crate) fn encode<T: Serialize>(&self, record: &T, out: &mut Vec<u8>) -> Result<(), WireError> {
        self.writer.write_ser(out, record).map_err(WireError::Encode)?;
        Ok(())
    }

    /// Reads a body that was written with `writer`.
    pub(crate) fn decode<T: DeserializeOwned>(
        &self,
        body: &[u8],
        writer: &WriterSchema,
    ) -> Result<T, WireError> {
        if writer.fingerprint == self.fingerprint {
            return self.read(body);
        }
        // apache-avro takes the end of the input for a null where a union is expected. A byte that no record has
        // tells a body that ends too soon from a whole one: it is left over exactly when the body was consumed.
        let guarded = [body, &[0]].concat();
        let mut rest = guarded.as_slice();
        let value = GenericDatumReader::builder(&writer.schema)
            .reader_schema(self.schema)
            .human_readable(true)
            .build()
            .and_then(|reader| reader.read_value(&mut rest))
            .map_err(WireError::Decode)?;
        consumed(rest.split_last().ok_or(WireError::Cut)?.1)?;
        let mut resolved = Vec::with_capacity(body.len());
        self.write_value(value, &mut resolved)?;
        self.read(&resolved)
    }

    fn read<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, WireError> {
        let mut rest = body;
        let record = self.reader.read_deser(&mut rest).map_err(WireError::Decode)?;
        consumed(rest)?;
        Ok(record)
    }

    fn write_value(&self, value: Value, out: &mut Vec<u8>) -> Result<(), WireError> {
        self.writer.write_value(out, value).map_err(WireError::Decode)?;
        Ok(())
    }
}

fn consumed(rest: &[u8]) -> Result<(), WireError> {
    if rest.is_empty() { Ok(()) } else { Err(WireError::TrailingBytes { count: rest.len() }) }
}

/// A schema that some writer used, as the registry gave it.
#[derive(Clone, Debug)]
pub struct WriterSchema {
    schema: Schema,
    fingerprint: Vec<u8>,
}

impl WriterSchema {
    /// Parses the registry's text of a schema.
    pub fn parse(text: &str) -> Result<Self, WireError> {
        let schema = Schema::parse_str(text).map_err(WireError::Schema)?;
        let fingerprint = schema.fingerprint::<Rabin>().bytes;
        Ok(Self { schema, fingerprint })
    }
}
