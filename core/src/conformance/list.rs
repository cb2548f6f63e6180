//! All cases, by area and subject: what is not named here does not run.

/// Hands the list to another macro, behind `$args`: see `suite.rs`.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_list {
    ([$($then:tt)*] $args:tt) => {
        $($then)*! { $args
            identity::users [
                a_created_user_is_found_by_id_and_by_name
                a_user_that_is_not_there_is_none
                a_user_s_name_is_taken_once
                names_that_only_look_alike_are_of_different_people
                a_user_s_name_has_a_length
                an_update_writes_every_field_and_counts
                an_update_of_an_outdated_user_is_a_conflict
                an_update_of_nobody_is_not_found
                an_update_to_a_taken_name_is_a_conflict
                a_name_that_was_given_up_is_free
                disabling_and_enabling_count_only_when_they_change_something
                a_deleted_user_is_gone
                every_optional_field_of_a_user_is_kept_or_kept_empty
                hostile_text_survives_in_every_field_of_a_user
                a_megabyte_of_text_survives_in_a_user
                times_are_kept_to_the_microsecond_and_in_utc
            ]
            identity::passwords [
                the_right_password_lets_in
                any_other_password_name_or_state_does_not
                a_new_password_ends_the_old_one
                a_password_may_be_any_text
                a_password_that_is_none_or_nobody_s_is_refused
                a_deleted_user_s_password_does_not_come_back
            ]
            identity::roles [
                a_created_role_is_found_with_its_permissions
                a_role_s_name_is_taken_once
                an_update_replaces_a_role_s_permissions
                an_update_of_an_outdated_role_changes_nothing
                a_deleted_role_is_gone_with_its_permissions
                a_role_may_have_thousands_of_permissions
                hostile_text_survives_in_every_field_of_a_role
            ]
            identity::groups [
                a_created_group_is_found_by_id_and_by_name
                a_group_s_name_is_taken_once
                an_update_of_a_group_writes_counts_and_notices_another
                members_come_and_go
                a_user_may_be_in_many_groups
                a_member_needs_a_group_and_a_user
                a_deleted_group_leaves_its_members
                a_deleted_user_is_a_member_no_more
                hostile_text_survives_in_every_field_of_a_group
            ]
            identity::assignments [
                permissions_come_by_a_user_s_roles_and_by_its_groups
                whether_a_user_may_is_the_same_as_what_it_may
                a_disabled_user_may_nothing
                a_user_without_roles_and_nobody_may_nothing
                a_role_is_assigned_and_taken_away_once
                a_role_taken_from_a_user_stays_if_a_group_has_it
                an_assignment_needs_a_role_and_a_subject
                assignments_go_with_the_role_the_user_or_the_group
                a_change_of_a_role_reaches_whoever_has_it
            ]
            application::api_keys [
                a_key_is_known_by_its_text
                a_text_that_is_off_by_anything_is_no_key
                an_expired_key_is_worthless_from_its_last_moment_on
                a_revoked_key_is_worthless_for_ever
                a_rotated_key_has_another_text_and_is_the_same_else
                a_revoked_or_missing_key_is_not_rotated
                a_key_s_last_use_is_recorded_at_most_once_a_minute
                a_key_used_by_many_at_once_lets_all_in
                an_owner_s_keys_are_listed_and_revoked_together
                a_deleted_key_is_gone
                every_optional_field_of_a_key_is_kept
                hostile_text_survives_in_a_key_s_name
                a_key_with_a_wrong_name_or_prefix_is_refused
            ]
            application::sessions [
                a_session_is_known_by_its_token
                a_text_that_is_off_by_anything_is_no_token
                an_idle_session_ends
                a_session_in_use_lives_on_until_its_end
                uses_in_quick_succession_are_one
                a_session_used_by_many_at_once_lets_all_in
                a_revoked_session_is_over
                all_sessions_of_a_user_end_together
                a_purge_removes_what_is_over_and_nothing_else
                a_purge_removes_any_number
                a_session_of_absurd_length_is_refused
            ]
            application::settings [
                a_setting_is_put_and_got
                putting_again_replaces_and_counts
                compare_and_set_sets_what_is_as_expected
                compare_and_set_refuses_what_is_not_as_expected
                a_deleted_setting_is_gone
                settings_are_listed_by_prefix_byte_for_byte
                hostile_text_survives_in_keys_and_values
                every_json_value_comes_back_as_it_was
                a_value_is_read_as_the_type_it_has
                a_setting_s_key_has_a_length
            ]
            conversation::scores [
                a_score_comes_back_as_it_was_given
                a_score_brings_its_id_and_time_if_it_has_them
                a_score_of_a_duplicate_is_kept_under_the_original
                a_score_of_a_duplicate_whose_original_is_gone_is_kept_under_the_duplicate
                a_score_of_a_missing_piece_is_not_found_and_none_is_added
                a_score_of_what_was_never_a_piece_is_kept
                a_score_s_value_must_be_what_its_type_says
                scores_are_found_by_every_filter_alone_and_together
                an_empty_list_of_a_score_filter_lets_nothing_through
                scores_are_paged_while_others_come
                a_deleted_score_is_gone
                scores_go_with_their_piece
                hostile_text_survives_in_every_field_of_a_score
                a_tenant_s_scores_are_nobody_else_s
                a_score_that_can_t_be_read_is_an_error_that_names_it
                no_score_outlives_a_conversation_that_is_deleted_meanwhile
                a_piece_that_was_put_aside_can_be_scored
                many_scores_are_added_at_once
            ]
            conversation::embeddings [
                an_embedding_comes_back_bit_for_bit
                an_embedding_put_again_is_replaced
                an_embedding_needs_a_piece
                a_vector_that_can_not_be_compared_is_refused
                the_most_similar_come_first_and_of_equals_the_lower_id
                embeddings_of_one_type_are_compared_with_their_like
                the_most_similar_of_many_are_those_of_an_exact_comparison
                embeddings_go_with_their_piece_or_alone
                embeddings_are_paged_by_type
                two_that_put_the_same_embedding_leave_one
                a_tenant_s_embeddings_are_nobody_else_s
                an_embedding_that_can_t_be_read_is_an_error_that_names_it
            ]
            conversation::seeds [
                a_seed_comes_back_as_it_was_given
                a_seed_brings_its_id_hash_and_time_if_it_has_them
                a_dataset_has_a_seed_once
                two_that_add_the_same_seeds_at_once_leave_one_of_each
                seeds_are_found_by_every_filter_alone_and_together
                a_text_within_a_value_is_found_byte_for_byte
                hostile_text_survives_in_every_field_of_a_seed
                a_group_is_read_whole_and_in_order
                a_group_is_added_once_and_a_value_as_often_as_groups_say_it
                a_group_that_is_none_is_refused
                a_dataset_is_replaced_as_a_whole
                seeds_are_removed_by_a_filter_that_says_something
                groups_are_paged_in_the_order_of_their_ids
                a_tenant_s_seeds_are_nobody_else_s
                a_seed_that_can_t_be_read_is_an_error_that_names_it
            ]
            conversation::attack_results [
                an_attack_result_comes_back_as_it_was_given
                an_attack_result_s_id_that_is_taken_is_a_conflict
                an_update_writes_all_details_and_counts
                an_update_of_an_outdated_attack_result_is_a_conflict
                of_two_updates_of_an_attack_result_one_is_lost_and_knows_it
                attack_results_are_found_by_every_filter_alone_and_together
                a_finding_outlives_the_conversation_it_was_made_in
                an_attack_result_needs_the_scenario_it_names
                a_deleted_attack_result_is_gone
                hostile_text_survives_in_every_field_of_an_attack_result
                a_tenant_s_attack_results_are_nobody_else_s
                an_attack_result_that_can_t_be_read_is_an_error_that_names_it
            ]
            conversation::scenario_results [
                a_scenario_result_comes_back_as_it_was_given
                a_scenario_goes_from_state_to_state
                a_state_that_was_not_expected_is_a_conflict
                of_many_that_begin_a_scenario_one_does
                an_update_writes_what_a_scenario_is_and_leaves_its_state
                scenario_results_are_found_by_every_filter_alone_and_together
                attacks_are_a_scenario_s_and_tell_how_far_it_is
                an_attack_is_one_scenario_s
                a_deleted_scenario_leaves_its_attacks_to_nobody
                no_attack_is_a_scenario_s_that_is_deleted_meanwhile
                hostile_text_survives_in_every_field_of_a_scenario_result
                a_tenant_s_scenario_results_are_nobody_else_s
                a_scenario_result_that_can_t_be_read_is_an_error_that_names_it
                everything_of_a_tenant_goes_with_its_area
            ]
            conversation::pieces [
                an_appended_message_is_found_as_it_was_said
                a_piece_that_is_not_there_is_none
                messages_of_a_conversation_follow_one_another
                the_parts_of_a_message_share_its_sequence_in_their_order
                a_message_without_parts_or_of_two_roles_is_refused
                every_field_of_a_piece_is_kept_whatever_the_text
                every_role_kind_of_data_and_error_is_kept
                a_megabyte_of_text_survives_in_a_piece
                a_piece_may_bring_its_id_and_its_time
                an_id_that_is_taken_is_a_conflict_and_takes_no_sequence
                many_messages_of_many_conversations_are_appended_in_order
                appenders_at_once_get_sequences_without_gap_or_double
                appenders_to_different_conversations_at_once_all_succeed
                a_message_appended_in_a_unit_takes_effect_with_it
                the_request_of_a_response_is_the_message_before_it
                another_tenant_neither_sees_nor_changes_pieces
                a_row_that_can_not_be_decoded_is_an_error_that_names_it
            ]
            conversation::piece_filters [
                without_a_condition_all_are_found_in_the_order_of_ids
                pieces_are_found_by_conversation_role_and_id
                an_empty_list_is_met_by_nothing
                labels_are_all_wanted_each_with_one_of_its_values
                metadata_is_found_by_its_json
                a_time_range_has_its_beginning_and_not_its_end
                times_are_compared_to_the_microsecond
                pieces_are_found_by_what_they_said_and_were_to_say
                pieces_are_found_by_kind_of_data_and_by_what_it_is_not
                pieces_are_found_by_attack_converter_and_error
                conditions_are_met_all_together
                hostile_text_is_found_by_exactly_itself
                pieces_that_come_and_go_while_paging_disturb_no_other
                a_filter_or_a_cursor_that_can_not_be_is_refused
            ]
            conversation::conversations [
                a_conversation_comes_to_be_with_its_first_message
                conversations_are_listed_in_the_order_of_ids
                a_conversation_is_held_with_one_target
                one_of_many_that_register_different_targets_at_once_wins
                a_whole_conversation_is_added_as_it_is_given
                the_same_conversation_is_added_once_and_another_is_a_conflict
                of_many_that_add_the_same_conversation_at_once_one_adds_it
                a_conversation_that_contradicts_itself_is_refused
                statistics_tell_what_a_conversation_amounts_to
                facets_are_every_different_label_converter_and_attack
                another_tenant_neither_sees_nor_changes_conversations
            ]
            conversation::analytics [
                figures_by_every_dimension_are_those_of_a_plain_model
                what_is_left_out_is_counted_exactly_at_every_limit
                groups_that_are_asked_for_are_counted_and_all_else_is_left
                refusals_are_what_the_named_scorers_and_the_error_say
                outcomes_by_every_dimension_are_those_of_a_plain_model
                the_longest_and_the_most_repeated_prompts_are_found
                a_preview_of_hostile_text_ends_between_characters
                of_nothing_and_of_another_tenant_s_nothing_is_counted
                figures_of_two_tenants_merge_into_those_of_both
                more_than_is_given_is_refused
                figures_within_a_unit_are_of_what_it_wrote
                what_was_put_aside_is_counted
            ]
            conversation::copies [
                a_duplicate_says_the_same_and_is_its_own
                a_duplicate_of_a_duplicate_is_of_the_original
                a_duplicate_without_the_last_turn_ends_before_it
                the_parts_of_the_last_turn_go_together
                nothing_is_duplicated_of_a_conversation_that_is_not_there
                a_duplicate_made_while_others_append_is_whole
            ]
            conversation::piece_changes [
                labels_are_put_in_the_place_of_what_pieces_have
                labels_and_metadata_of_a_whole_conversation_are_changed
                labels_set_at_once_are_those_of_one_of_the_callers
                deleted_pieces_are_gone_with_what_belongs_to_them
                what_comes_after_a_sequence_is_deleted_and_said_anew
                a_deleted_conversation_is_gone_with_all_that_belongs_to_it
                a_tenant_s_data_is_deleted_for_good
                an_append_and_a_deletion_at_once_leave_no_piece_without_its_conversation
                changes_in_a_unit_take_effect_with_it
            ]
            conversation::exports [
                json_lines_are_read_again_as_the_same_pieces
                csv_has_every_field_under_its_name
                an_export_has_what_the_filter_finds_and_no_more
                an_export_of_many_pieces_comes_in_chunks
                a_row_that_can_not_be_decoded_ends_the_export_with_an_error
                another_tenant_s_pieces_are_in_no_export
            ]
            conversation::buffered [
                what_was_put_aside_is_there_after_a_flush_in_its_order
                whoever_reads_a_conversation_finds_what_was_put_aside
                whoever_changes_a_conversation_changes_what_was_put_aside
                what_is_wrong_with_a_message_is_said_when_it_is_put_aside
                a_message_whose_id_is_taken_is_let_go_alone_and_said_so
                nothing_is_put_aside_in_a_unit
                all_handles_of_a_tenant_share_what_was_put_aside
                many_that_put_aside_and_read_at_once_lose_nothing
            ]
            configuration::components [
                a_created_component_is_found_by_id_and_by_kind_and_name
                a_component_that_is_not_there_is_none
                a_component_s_name_is_taken_once_per_kind
                an_update_of_a_component_writes_counts_and_notices_another
                a_status_is_set_and_counts_only_when_it_changes
                the_last_test_is_recorded_and_counts_as_no_change
                a_deleted_component_is_gone
                components_are_listed_by_kind_type_and_status
                hostile_text_survives_in_every_field_of_a_component
                a_component_s_name_type_and_status_have_a_length
                another_tenant_neither_sees_nor_changes_a_component
                of_two_updates_of_a_component_at_once_one_is_lost_and_knows_it
                of_components_of_one_name_at_once_one_is_created
                tests_recorded_and_statuses_set_at_once_all_take_effect
                components_take_part_in_a_unit_of_work
            ]
            configuration::secrets [
                reading_a_component_shows_no_secret
                revealing_gives_every_secret_as_it_was
                hostile_secrets_at_hostile_places_come_back
                an_update_of_what_was_read_keeps_the_secrets
                a_new_secret_replaces_the_old_one
                the_mark_is_refused_where_no_secret_is_stored
                what_is_marked_as_a_secret_stays_one
                secrets_under_the_active_key_are_not_rotated
            ]
            configuration::datasets [
                a_created_dataset_is_found_by_id_and_by_name
                a_dataset_that_is_not_there_is_none
                a_dataset_s_name_is_taken_once
                an_update_of_a_dataset_writes_counts_and_notices_another
                a_deleted_dataset_is_gone_with_its_prompts
                datasets_are_paged_in_the_order_of_creation
                a_copy_has_all_prompts_and_a_life_of_its_own
                hostile_text_survives_in_every_field_of_a_dataset
                what_a_dataset_can_t_keep_is_refused
                another_tenant_neither_sees_nor_changes_a_dataset
                of_datasets_of_one_name_at_once_one_is_created
                no_prompt_outlives_a_dataset_that_is_deleted_meanwhile
            ]
            configuration::prompts [
                appended_prompts_stand_in_their_order
                pages_of_prompts_give_everyone_once
                prompts_that_come_go_or_move_elsewhere_leave_pages_whole
                a_prompt_is_replaced_in_its_place
                a_deleted_prompt_is_gone
                a_prompt_moves_to_any_place
                a_prompt_moves_only_within_its_dataset
                any_number_of_moves_into_one_gap_keeps_the_order
                a_whole_order_is_given_at_once
                an_order_that_is_not_of_all_prompts_is_refused
                an_import_takes_effect_as_a_whole
                an_import_that_fails_anywhere_imports_nothing
                hostile_text_survives_in_prompts
                appends_at_once_lose_nothing_and_keep_together
                moves_at_once_lose_no_prompt
                prompts_take_part_in_a_unit_of_work
            ]
            transaction::outcome [
                a_committed_unit_takes_effect_as_a_whole
                a_unit_rolled_back_takes_no_effect
                a_dropped_unit_takes_no_effect_and_holds_nothing
                a_unit_sees_what_it_did_and_others_do_not
                a_failed_statement_dooms_the_unit
                a_doomed_unit_can_be_rolled_back_and_begun_again
                a_call_that_is_refused_before_any_statement_dooms_nothing
                repositories_that_outlive_their_unit_fail
                a_call_of_several_statements_fails_as_a_whole
                a_row_may_be_changed_many_times_in_a_unit
                what_a_unit_made_it_may_delete
            ]
            transaction::nesting [
                an_inner_unit_takes_effect_with_the_outermost
                an_inner_unit_rolled_back_dooms_the_outermost
                an_inner_unit_dropped_dooms_the_outermost
                an_inner_unit_left_open_keeps_the_outermost_from_committing
                an_outermost_rolled_back_undoes_what_inner_units_committed
            ]
            transaction::concurrency [
                two_writers_of_different_rows_both_succeed
                writers_of_different_rows_do_not_wait_for_one_another
                of_two_updates_of_the_same_version_one_is_lost_and_knows_it
                of_two_users_of_one_name_at_once_one_is_created
                a_counter_under_compare_and_set_loses_nothing
                of_many_that_expect_no_setting_one_sets_it
                serializable_units_allow_no_write_skew
                no_child_outlives_a_parent_that_is_deleted_meanwhile
            ]
            paging::lists [
                pages_give_everyone_once_in_the_order_of_creation
                the_last_page_says_so
                rows_that_come_while_paging_are_neither_repeated_nor_in_the_way
                rows_that_go_while_paging_skip_nobody_else
                a_cursor_that_no_page_gave_is_refused
                pages_of_roles_bring_all_their_permissions
                groups_and_their_members_are_paged
            ]
            access::policies [
                every_call_of_identity_is_asked_before_anything_is_touched
                every_call_of_application_is_asked_before_anything_is_touched
                every_call_about_pieces_and_conversations_is_asked_before_anything_is_touched
                every_call_about_results_is_asked_before_anything_is_touched
                every_call_of_configuration_is_asked_before_anything_is_touched
                whoever_may_read_a_component_may_not_reveal_its_secrets
                a_unit_of_work_asks_as_its_store_does
                a_user_may_what_its_roles_permit_and_nothing_else
                a_disabled_user_s_actor_may_nothing
                a_key_may_what_both_its_scopes_and_its_owner_may
            ]
            isolation::attempts [
                no_call_about_pieces_and_conversations_reaches_another_tenant_s
                no_call_about_results_reaches_another_tenant_s
                no_call_of_configuration_reaches_another_tenant_s
                another_tenant_s_cursor_leads_to_nothing_of_the_other_s
            ]
            isolation::sql [
                sql_in_every_text_about_pieces_and_conversations_is_text
                sql_in_every_text_of_results_is_text
                sql_in_every_text_of_configuration_is_text
                sql_in_every_text_of_identity_and_application_is_text
            ]
            engine::abilities [
                a_savepoint_can_be_rolled_back_to
                the_engine_itself_refuses_a_child_without_its_parent
                statements_of_a_transaction_that_fails_take_no_effect
                what_is_said_of_the_store_is_so
            ]
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_names {
    (() $($area:ident::$subject:ident [$($case:ident)*])*) => {
        &[$((concat!(stringify!($area), "/", stringify!($subject)), &[$(stringify!($case)),*]),)*]
    };
}

const NAMES: &[(&str, &[&str])] = crate::__conformance_list!([crate::__conformance_names]());

/// Every case: where it is, such as `identity/users`, and its name.
pub fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    NAMES.iter().flat_map(|(place, cases)| cases.iter().map(|case| (*place, *case)))
}
