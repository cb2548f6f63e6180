//! Whole databases, end to end.

use trimaran_backends::testing::postgres::database;

use crate::cli::{cell, duckdb_url, folder, migrate, sqlite_url};
use crate::samples;

#[test]
fn a_pyrit_file_arrives_under_quarantine_with_keys_and_every_row_accounted_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("memory.db");
    samples::pyrit::write(&path, 6_000).unwrap();
    let before = folder(dir.path());
    let target = database();
    let (from, to) = (duckdb_url(&path), target.url().to_owned());

    let check = migrate("check", &from, &to, &[]).expect(4);
    let hazards = check.hazards();
    assert!(
        hazards.contains(&"PromptMemoryEntries.original_value nul-in-text 7 rejects".to_owned()),
        "{hazards:?}"
    );
    assert!(
        hazards.contains(&"PromptMemoryEntries.prompt_metadata json-nan 4 rejects".to_owned()),
        "{hazards:?}"
    );
    assert!(
        hazards.contains(&"PromptMemoryEntries.prompt_metadata json-nul 3 moves".to_owned()),
        "{hazards:?}"
    );
    assert_eq!(
        cell(&target, "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"),
        "0"
    );

    let run = migrate("run", &from, &to, &["--on-hazard", "quarantine"]).expect(5);
    let (source, moved, aside) = run.totals();
    assert_eq!(source, moved + aside);
    // Eleven prompts are put aside, and the scores and embeddings that refer to them go with them.
    assert_eq!(
        cell(
            &target,
            "SELECT count(*) FROM _trimaran_quarantine WHERE reason IN ('nul-in-text', 'json-nan')"
        ),
        "11"
    );
    let parents = cell(&target, "SELECT count(*) FROM _trimaran_quarantine WHERE reason = 'parent'");
    assert!(parents.parse::<u64>().unwrap() > 0);
    assert_eq!(cell(&target, r#"SELECT count(*) FROM "PromptMemoryEntries""#), "5989");
    assert_eq!(
        cell(
            &target,
            "SELECT string_agg(contype::text, '' ORDER BY contype) FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text NOT LIKE '%trimaran%' AND contype IN ('p', 'f', 'u') AND convalidated"
        ),
        "ffppppppuu"
    );
    assert_eq!(
        cell(
            &target,
            "SELECT length(original_value)::text FROM \"PromptMemoryEntries\" WHERE length(original_value) > 1000000"
        ),
        "1054000"
    );
    assert_eq!(
        cell(&target, "SELECT count(*) FROM \"EmbeddingData\" WHERE array_length(embedding, 1) = 64"),
        cell(&target, "SELECT count(*) FROM \"EmbeddingData\"")
    );
    assert_eq!(
        cell(
            &target,
            "SELECT column_default FROM information_schema.columns WHERE table_name = 'generators' AND column_name = 'status'"
        ),
        "'ready'::text"
    );

    migrate("verify", &from, &to, &[]).expect(5);
    migrate("run", &from, &to, &["--on-hazard", "quarantine"]).expect(5);
    assert_eq!(folder(dir.path()), before, "the source's folder is as it was");
}

#[test]
fn a_pyrit_file_arrives_whole_under_escape() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("memory.db");
    samples::pyrit::write(&path, 3_000).unwrap();
    let target = database();
    let run = migrate("run", &duckdb_url(&path), target.url(), &["--on-hazard", "escape"]).expect(0);
    let (source, moved, aside) = run.totals();
    assert_eq!((source, aside), (moved, 0));
    assert_eq!(
        cell(
            &target,
            r#"SELECT encode(substr(original_value, 1, 13)::bytea, 'escape') FROM "PromptMemoryEntries" WHERE original_value LIKE 'before%' LIMIT 1"#
        ),
        "before\u{1a}0after",
    );
    assert_eq!(
        cell(
            &target,
            r#"SELECT count(*) FROM "PromptMemoryEntries" WHERE prompt_metadata::text LIKE '"\\u001a%NaN%'"#
        ),
        "2"
    );
    assert_eq!(
        cell(&target, "SELECT (count(*) > 0)::text FROM pg_stats WHERE tablename = 'PromptMemoryEntries'"),
        "true",
        "the planner knows the table"
    );
    migrate("verify", &duckdb_url(&path), target.url(), &[]).expect(0);
}

#[test]
fn a_violentutf_file_arrives_under_quarantine_and_under_escape() {
    for (policy, aside) in [("quarantine", "nul-in-text 1"), ("escape", "none")] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app.sqlite");
        samples::violentutf::write(&path, 1_000).unwrap();
        let before = folder(dir.path());
        let target = database();
        let (from, to) = (sqlite_url(&path), target.url().to_owned());
        let run = migrate("run", &from, &to, &["--on-hazard", policy]).expect(5);
        let (source, moved, put_aside) = run.totals();
        assert_eq!(source, moved + put_aside);
        assert_eq!(
            cell(
                &target,
                "SELECT coalesce(string_agg(reason || ' ' || n, ', ' ORDER BY reason), 'none') FROM (SELECT reason, count(*) n FROM _trimaran_quarantine WHERE reason = 'nul-in-text' GROUP BY reason) q"
            ),
            aside
        );
        assert_eq!(
            cell(
                &target,
                "SELECT string_agg(reason || ' ' || n, ', ' ORDER BY reason) FROM (SELECT reason, count(*) n FROM _trimaran_quarantine WHERE reason IN ('orphan', 'wrong-type') GROUP BY reason) q"
            ),
            "orphan 1, wrong-type 1"
        );
        // A UUID of 32 digits and one of 36 characters are one type, and the foreign key between them holds.
        let types = "SELECT string_agg(DISTINCT data_type, ',') FROM information_schema.columns WHERE (table_name, column_name) IN (('database_assets', 'id'), ('performance_metrics', 'asset_id'))";
        assert_eq!(cell(&target, types), "uuid");
        assert_eq!(
            cell(
                &target,
                "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND convalidated AND confdeltype = 'c'"
            ),
            "1"
        );
        // Ids that are no UUIDs stay text.
        assert_eq!(
            cell(
                &target,
                "SELECT data_type FROM information_schema.columns WHERE table_name = 'cob_report_variables' AND column_name = 'id'"
            ),
            "text"
        );
        assert_eq!(
            cell(
                &target,
                "SELECT data_type FROM information_schema.columns WHERE table_name = 'api_keys' AND column_name = 'is_active'"
            ),
            "boolean"
        );
        assert_eq!(
            cell(&target, "SELECT last_used_at::text FROM api_keys LIMIT 1"),
            "2025-02-02 10:11:12.131415"
        );
        // The counter goes on where SQLite's stood.
        assert_eq!(cell(&target, "INSERT INTO audit_log (\"Action\") VALUES ('next') RETURNING id"), "1004");
        assert_eq!(
            cell(
                &target,
                "SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_database_assets_created_at'"
            ),
            "CREATE INDEX ix_database_assets_created_at ON public.database_assets USING btree (created_at DESC, name)"
        );
        let unmoved = run.json["not_moved"].to_string();
        assert!(unmoved.contains("active_keys") && unmoved.contains("audit_keys"), "{unmoved}");
        assert_eq!(folder(dir.path()), before, "the source's folder is as it was");
    }
}

#[test]
fn patterns_choose_tables_and_a_schema_takes_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.sqlite");
    samples::violentutf::write(&path, 100).unwrap();
    let target = database();
    let flags = ["--tables", "*_keys,cob_*", "--exclude", "cob_*", "--schema", "Imported Data"];
    migrate("run", &sqlite_url(&path), target.url(), &flags).expect(0);
    assert_eq!(
        cell(
            &target,
            "SELECT string_agg(tablename, ',') FROM pg_tables WHERE schemaname = 'Imported Data' AND tablename NOT LIKE '\\_trimaran%'"
        ),
        "api_keys"
    );
    let none = migrate("run", &sqlite_url(&path), target.url(), &["--tables", "nothing*"]).expect(2);
    assert!(none.stderr.contains("api_keys"), "{}", none.stderr);
}
