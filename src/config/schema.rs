//! The settings' JSON Schema, by which editors complete and check the file.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::Config;

/// The schema, made from the types: every key with its sentence, its default and what it takes.
pub fn schema() -> Value {
    // Draft 7 is what editors' TOML plugins understand.
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<Config>().to_value();
    schema["title"] = "artificio.toml".into();
    if let Some(sections) = schema["properties"].as_object_mut() {
        for section in sections.values_mut().filter_map(Value::as_object_mut) {
            // Each key has its own default; all of a section's at once would only be longer.
            section.remove("default");
        }
    }
    on_one_line(&mut schema);
    schema
}

/// Sentences are wrapped in the source.
fn on_one_line(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match value {
                    Value::String(text) if key == "description" => *text = text.replace('\n', " "),
                    value => on_one_line(value),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(on_one_line),
        _ => {}
    }
}
