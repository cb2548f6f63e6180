//! What an attack's identifier says of strategy, converters and target, in the forms that PyRIT gives it.

use serde_json::{Map, Value};

use super::Identifier;

/// Where the strategy is in an atomic attack's identifier: PyRIT 1.1 nests it in the technique, earlier versions put it
/// under the atomic attack itself; else the identifier is the strategy's own.
const STRATEGY: [&[&str]; 2] = [&["attack_technique", "attack"], &["attack"]];

impl Identifier {
    /// The class of the attack's strategy.
    pub fn attack_class(&self) -> &str {
        self.strategy().and_then(|strategy| class_name(strategy)).unwrap_or(&self.class_name)
    }

    /// The classes of the converters of the attack's requests, in order.
    pub fn attack_converter_classes(&self) -> Vec<&str> {
        let children = match self.strategy() {
            Some(strategy) => strategy.get("children"),
            None => self.details.get("children"),
        };
        match children.and_then(|children| children.get("request_converters")) {
            Some(Value::Array(converters)) => {
                converters.iter().filter_map(Value::as_object).filter_map(class_name).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The class of what was attacked.
    pub fn attack_target_class(&self) -> Option<&str> {
        let children = match self.strategy() {
            Some(strategy) => strategy.get("children"),
            None => self.details.get("children"),
        };
        class_name(children?.get("objective_target")?.as_object()?)
    }

    /// The hash of what decides on its behaviour (PyRIT 1.1: `eval_hash`).
    pub fn evaluation_hash(&self) -> Option<&str> {
        self.details.get("eval_hash")?.as_str()
    }

    /// A member that is text, such as a target's `endpoint`; `None` if there is none, or it is no text.
    pub fn text_member(&self, name: &str) -> Option<&str> {
        self.details.get(name)?.as_str()
    }

    fn strategy(&self) -> Option<&Map<String, Value>> {
        STRATEGY.iter().find_map(|path| {
            let (first, rest) = path.split_first()?;
            let mut found = self.details.get("children")?.get(first)?.as_object()?;
            for name in rest {
                found = found.get("children")?.get(name)?.as_object()?;
            }
            Some(found)
        })
    }
}

fn class_name(identifier: &Map<String, Value>) -> Option<&str> {
    ["class_name", "__type__"].iter().find_map(|name| identifier.get(*name)?.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn strategy_converters_and_target_are_found_in_each_form() {
        let strategy = json!({"class_name": "Crescendo", "children": {
            "objective_target": {"class_name": "OpenAIChatTarget"},
            "request_converters": [{"class_name": "Base64Converter"}, {"__type__": "ROT13Converter"}]}});
        let nested = json!({"class_name": "AtomicAttack", "eval_hash": "e", "children":
            {"attack_technique": {"class_name": "T", "children": {"attack": strategy}}}});
        let direct = json!({"class_name": "AtomicAttack", "children": {"attack": strategy}});
        for form in [nested, direct, strategy.clone()] {
            let identifier: Identifier = serde_json::from_value(form).unwrap();
            assert_eq!(identifier.attack_class(), "Crescendo");
            assert_eq!(identifier.attack_converter_classes(), ["Base64Converter", "ROT13Converter"]);
            assert_eq!(identifier.attack_target_class(), Some("OpenAIChatTarget"));
        }
        let old: Identifier = serde_json::from_value(json!({"__type__": "RedTeamingOrchestrator"})).unwrap();
        assert_eq!(old.attack_class(), "RedTeamingOrchestrator");
        assert!(old.attack_converter_classes().is_empty() && old.attack_target_class().is_none());
    }
}
