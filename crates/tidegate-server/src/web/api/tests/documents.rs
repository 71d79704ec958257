//! The documents say what the table says, and hold together.

use super::super::routes::ROUTES;
use super::*;

fn refs(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get("$ref") {
                found.push(reference.clone());
            }
            object.values().for_each(|value| refs(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| refs(value, found)),
        _ => {}
    }
}

#[test]
fn every_route_is_described_and_every_reference_leads_somewhere() {
    let document = openapi();
    for route in ROUTES {
        let path = route.path.replace('~', "~0").replace('/', "~1");
        let method = route.method.as_str().to_ascii_lowercase();
        let operation = document.pointer(&format!("/paths/{path}/{method}")).unwrap();
        assert_eq!(operation["operationId"], route.name);
        assert!(reference().contains(&format!("`{} {}`", route.method.as_str(), route.path)));
    }
    let mut found = Vec::new();
    refs(&document, &mut found);
    assert!(found.len() > 30);
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn every_code_has_a_kind_that_can_be_read() {
    for code in Code::ALL {
        let kind = problem::kind(&format!("TG{}", code.number())).unwrap();
        let kind = serde_json::to_value(kind).unwrap();
        assert_eq!(kind["title"], code.meaning());
    }
    for (name, ..) in problem::OTHERS {
        assert!(problem::kind(name).is_some(), "{name}");
    }
    assert!(problem::kind("nothing").is_none());
}
