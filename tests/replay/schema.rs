//! The JSON Schemas: made from the types, kept in docs; that of the records is true of every
//! record. (That of `who` and `arping` is held against what they write by the live tests.)

use std::path::Path;

use schemars::schema_for;
use vrrp_user::{record::Record, who::Line};

use crate::{
    cases::{self, compare},
    command::Replay,
};

#[test]
fn the_documented_schema_is_that_of_the_types() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    for (name, schema) in [
        ("records.schema.json", schema_for!(Record)),
        ("who.schema.json", schema_for!(Line)),
    ] {
        let schema = serde_json::to_string_pretty(&schema).expect("JSON") + "\n";
        compare(&docs.join(name), &schema);
    }
}

#[test]
fn every_record_of_every_case_fits_the_schema_and_reads_back() {
    let schema = serde_json::to_value(schema_for!(Record)).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    for case in cases::all() {
        let text = Replay::of(&case)
            .args(["--format", "json", "--arp", "all"])
            .text();
        for line in text.lines() {
            let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
            if let Err(error) = validator.validate(&value) {
                panic!("{case}: {error}\n{line}");
            }
            let record: Record = serde_json::from_value(value.clone()).expect("a record");
            assert_eq!(
                serde_json::to_value(&record).expect("JSON"),
                value,
                "{case}"
            );
        }
    }
}
