//! Requests with names in them, for which a value is found when a call is made.

use serde_json::Value;

use super::error::LoadError;

/// Names that stand between `${` and `}` in any string of a request.
pub(super) fn placeholders(template: &Value) -> Vec<String> {
    let mut names = Vec::new();
    let _ = fill(template, &mut |name| {
        names.push(name.to_owned());
        Some(String::new())
    });
    names
}

/// The template with every `${name}` in its strings replaced.
pub(super) fn fill(template: &Value, value_of: &mut impl FnMut(&str) -> Option<String>) -> Result<Value, LoadError> {
    Ok(match template {
        Value::String(text) => Value::String(fill_text(text, value_of)?),
        Value::Array(items) => Value::Array(items.iter().map(|item| fill(item, value_of)).collect::<Result<_, _>>()?),
        Value::Object(fields) => {
            let filled = fields.iter().map(|(name, value)| Ok((name.clone(), fill(value, value_of)?)));
            Value::Object(filled.collect::<Result<_, LoadError>>()?)
        }
        other => other.clone(),
    })
}

fn fill_text(text: &str, value_of: &mut impl FnMut(&str) -> Option<String>) -> Result<String, LoadError> {
    let (mut filled, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else { break };
        filled.push_str(before);
        let value = value_of(name).ok_or_else(|| LoadError::Request(format!("${{{name}}} names no set of keys")))?;
        filled.push_str(&value);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn placeholders_are_replaced_wherever_a_string_stands() {
        let template = json!({"id": "${k}", "list": ["a-${k}-${n}", 3], "plain": "no ${ end"});
        let mut value_of = |name: &str| (name != "nothing").then(|| format!("<{name}>"));
        let filled = fill(&template, &mut value_of).unwrap();
        assert_eq!(filled, json!({"id": "<k>", "list": ["a-<k>-<n>", 3], "plain": "no ${ end"}));
        assert!(fill(&json!("${nothing}"), &mut value_of).is_err());
        assert_eq!(placeholders(&template), ["k", "k", "n"]);
    }
}
