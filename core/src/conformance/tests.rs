use std::collections::BTreeSet;

use super::{content, list};

/// The source of each file of cases.
const SOURCES: &[(&str, &str)] = &[
    ("identity/users", include_str!("identity/users.rs")),
    ("identity/passwords", include_str!("identity/passwords.rs")),
    ("identity/roles", include_str!("identity/roles.rs")),
    ("identity/groups", include_str!("identity/groups.rs")),
    ("identity/assignments", include_str!("identity/assignments.rs")),
    ("application/api_keys", include_str!("application/api_keys.rs")),
    ("application/sessions", include_str!("application/sessions.rs")),
    ("application/settings", include_str!("application/settings.rs")),
    ("configuration/components", include_str!("configuration/components.rs")),
    ("configuration/secrets", include_str!("configuration/secrets.rs")),
    ("configuration/datasets", include_str!("configuration/datasets.rs")),
    ("configuration/prompts", include_str!("configuration/prompts.rs")),
    ("conversation/analytics", include_str!("conversation/analytics.rs")),
    ("conversation/pieces", include_str!("conversation/pieces.rs")),
    ("conversation/piece_filters", include_str!("conversation/piece_filters.rs")),
    ("conversation/piece_changes", include_str!("conversation/piece_changes.rs")),
    ("conversation/conversations", include_str!("conversation/conversations.rs")),
    ("conversation/copies", include_str!("conversation/copies.rs")),
    ("conversation/exports", include_str!("conversation/exports.rs")),
    ("conversation/buffered", include_str!("conversation/buffered.rs")),
    ("conversation/scores", include_str!("conversation/scores.rs")),
    ("conversation/embeddings", include_str!("conversation/embeddings.rs")),
    ("conversation/seeds", include_str!("conversation/seeds.rs")),
    ("conversation/attack_results", include_str!("conversation/attack_results.rs")),
    ("conversation/scenario_results", include_str!("conversation/scenario_results.rs")),
    ("transaction/outcome", include_str!("transaction/outcome.rs")),
    ("transaction/nesting", include_str!("transaction/nesting.rs")),
    ("transaction/concurrency", include_str!("transaction/concurrency.rs")),
    ("paging/lists", include_str!("paging/lists.rs")),
    ("access/policies", include_str!("access/policies.rs")),
    ("content/objects", include_str!("content/objects.rs")),
    ("content/bodies", include_str!("content/bodies.rs")),
    ("content/conditions", include_str!("content/conditions.rs")),
    ("content/lists", include_str!("content/lists.rs")),
    ("content/history", include_str!("content/history.rs")),
    ("content/scopes", include_str!("content/scopes.rs")),
    ("content/isolation", include_str!("content/isolation.rs")),
    ("content/resources", include_str!("content/resources.rs")),
    ("content/permissions", include_str!("content/permissions.rs")),
    ("isolation/attempts", include_str!("isolation/attempts.rs")),
    ("isolation/sql", include_str!("isolation/sql.rs")),
    ("engine/abilities", include_str!("engine/abilities.rs")),
];

fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    list::names().chain(content::list::names())
}

#[test]
fn every_case_that_is_written_is_on_the_list() {
    for (place, source) in SOURCES {
        let written: BTreeSet<_> = source
            .lines()
            .filter_map(|line| line.strip_prefix("pub async fn "))
            .filter_map(|rest| rest.split('(').next())
            .collect();
        let listed: BTreeSet<_> = names().filter(|(at, _)| at == place).map(|(_, name)| name).collect();
        assert_eq!(written, listed, "{place}");
    }
    assert!(names().all(|(at, _)| SOURCES.iter().any(|(place, _)| *place == at)));
}

/// The traits of tenants' repositories, each with what it is called in the cases of isolation.
const OF_TENANTS: &[(&str, &str)] = &[
    ("analytics", include_str!("../repository/conversation/analytics.rs")),
    ("pieces", include_str!("../repository/conversation/pieces.rs")),
    ("conversations", include_str!("../repository/conversation/conversations.rs")),
    ("scores", include_str!("../repository/conversation/scores.rs")),
    ("embeddings", include_str!("../repository/conversation/embeddings.rs")),
    ("seeds", include_str!("../repository/conversation/seeds.rs")),
    ("attack_results", include_str!("../repository/conversation/attack_results.rs")),
    ("scenario_results", include_str!("../repository/conversation/scenario_results.rs")),
    ("components", include_str!("../repository/configuration/components.rs")),
    ("datasets", include_str!("../repository/configuration/datasets.rs")),
    ("content", include_str!("../repository/content/objects.rs")),
];

/// The traits of what is no tenant's, which take text as well.
const OF_THE_INSTALLATION: &[(&str, &str)] = &[
    ("users", include_str!("../repository/identity/users.rs")),
    ("roles", include_str!("../repository/identity/roles.rs")),
    ("groups", include_str!("../repository/identity/groups.rs")),
    ("api_keys", include_str!("../repository/application/api_keys.rs")),
    ("sessions", include_str!("../repository/application/sessions.rs")),
    ("settings", include_str!("../repository/application/settings.rs")),
];

/// The calls of a trait: the name of each, and the types of what it takes.
fn calls(source: &str) -> Vec<(String, Vec<String>)> {
    // What stands in the trait itself: its extension is made of these.
    let contract = source.split("Ext:").next().unwrap_or_default();
    let code: Vec<_> = contract.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let of_call = |call: &str| {
        let (name, rest) = call.split_once('(')?;
        let (taken, _) = rest.split_once(") ->")?;
        let types = taken.split(',').filter_map(|argument| argument.split_once(": "));
        Some((name.to_owned(), types.map(|(_, of)| of.trim().to_owned()).collect()))
    };
    code.join("\n").split("async fn ").skip(1).filter_map(of_call).collect()
}

#[test]
fn every_call_of_a_tenant_s_repositories_is_tried_on_another_tenant() {
    let tried = [include_str!("isolation/attempts.rs"), include_str!("content/isolation.rs")].concat();
    let mut count = 0;
    for (repository, source) in OF_TENANTS {
        for (name, _) in calls(source) {
            assert!(
                tried.contains(&format!("{repository}.{name}(")),
                "{repository}.{name}: no case of isolation"
            );
            count += 1;
        }
    }
    assert!(count > 95, "{count}");
}

/// Types that hold no text: ids, numbers, and what is made of them.
fn holds_no_text(of: &str) -> bool {
    const PLAIN: &[&str] = &[
        "i64",
        "u32",
        "u64",
        "usize",
        "&[f32]",
        "Duration",
        "Namespace",
        "Range<u64>",
        "ComponentKind",
        "ExportFormat",
        "PromptPlace",
        "Subject",
        "NewSession",
        "&Permission",
        "&[ScenarioState]",
        "Option<i64>",
    ];
    let is_id = of.trim_start_matches(['&', '[']).trim_end_matches(']').ends_with("Id");
    is_id || PLAIN.contains(&of)
}

#[test]
fn every_call_that_takes_text_is_given_sql() {
    let tried = [include_str!("isolation/sql.rs"), include_str!("content/isolation.rs")].concat();
    let mut count = 0;
    for (repository, source) in OF_TENANTS.iter().chain(OF_THE_INSTALLATION) {
        for (name, types) in calls(source) {
            if types.iter().all(|of| holds_no_text(of)) {
                continue;
            }
            assert!(
                tried.contains(&format!("{repository}.{name}(")),
                "{repository}.{name} takes {types:?}: give it SQL in isolation/sql.rs, or say in `holds_no_text` why not"
            );
            count += 1;
        }
    }
    assert!(count > 75, "{count}");
}
