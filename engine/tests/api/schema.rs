//! As much of JSON Schema as the API's document uses. A word that is not known here fails the test.

use serde_json::Value;

/// Checks a value against a schema of a document.
pub(super) fn check(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let fail = |why: String| Err(format!("{why}: {value} is not {schema}"));
    let words = schema.as_object().ok_or("a schema is an object")?;
    for (word, rule) in words {
        match word.as_str() {
            "$ref" => {
                let pointer =
                    rule.as_str().and_then(|r| r.strip_prefix('#')).ok_or("a reference is local")?;
                check(document, document.pointer(pointer).ok_or(format!("{pointer} is nowhere"))?, value)?;
            }
            "description" => {}
            "type" if one_or_more(rule).any(|name| is(name, value)) => {}
            "type" => return fail("type".into()),
            "enum" if rule.as_array().is_some_and(|all| all.contains(value)) => {}
            "enum" => return fail("enum".into()),
            "minimum" if value.as_u64() >= rule.as_u64() => {}
            "maximum" if value.as_u64() <= rule.as_u64() => {}
            "pattern" if matches(rule.as_str().unwrap(), value.as_str().unwrap()) => {}
            "required" => {
                for name in rule.as_array().unwrap() {
                    if value.get(name.as_str().unwrap()).is_none() {
                        return fail(format!("{name} is missing"));
                    }
                }
            }
            "properties" => {
                for (name, schema) in rule.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        check(document, schema, value)?;
                    }
                }
            }
            "additionalProperties" => {
                let known = |name: &String| words["properties"].get(name).is_some();
                if !value.as_object().ok_or("no object")?.keys().all(known) {
                    return fail("a field too many".into());
                }
            }
            "items" => {
                for value in value.as_array().ok_or("no array")? {
                    check(document, rule, value)?;
                }
            }
            "oneOf" => {
                let all = rule.as_array().unwrap();
                let fit = all.iter().filter(|schema| check(document, schema, value).is_ok()).count();
                if fit != 1 {
                    return fail(format!("{fit} of {} fit", all.len()));
                }
            }
            word => return fail(word.to_owned()),
        }
    }
    Ok(())
}

fn one_or_more(rule: &Value) -> impl Iterator<Item = &str> {
    let all = rule.as_array().map_or(std::slice::from_ref(rule), Vec::as_slice);
    all.iter().map(|name| name.as_str().unwrap())
}

fn is(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64(),
        "null" => value.is_null(),
        name => panic!("{name} is no type of the document"),
    }
}

/// The two patterns of the document: so many hexadecimal digits, or an even number of them.
fn matches(pattern: &str, text: &str) -> bool {
    let digits = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let length = match pattern.strip_prefix("^[0-9a-f]{").and_then(|rest| rest.strip_suffix("}$")) {
        Some(count) => text.len() == count.parse::<usize>().unwrap(),
        None => {
            assert_eq!(pattern, "^([0-9a-f]{2})*$");
            text.len().is_multiple_of(2)
        }
    };
    digits && length
}
