//! All cases of content: what is not named here does not run.

/// Hands the list to another macro, behind `$args`: see `suite.rs`.
#[doc(hidden)]
#[macro_export]
macro_rules! __content_list {
    ([$($then:tt)*] $args:tt) => {
        $($then)*! { $args
            content::objects [
                an_object_comes_back_as_it_was_put
                an_object_that_is_not_there_is_none
                a_put_replaces_bytes_and_metadata_together
                an_empty_object_is_an_object
                a_mime_type_is_told_by_the_name_unless_it_is_given
                what_breaks_a_rule_is_refused_and_changes_nothing
                a_deleted_object_is_gone_and_can_be_put_again
                namespaces_do_not_share_names
                hostile_names_are_names_like_any_other
                hostile_text_survives_in_metadata
            ]
            content::bodies [
                a_long_stream_comes_back_as_it_was
                a_body_as_long_as_a_part_or_nearly_comes_back
                a_range_is_as_much_of_it_as_there_is
                a_range_that_is_none_is_refused
                a_body_that_fails_changes_nothing
                a_put_that_is_dropped_changes_nothing
            ]
            content::conditions [
                only_an_absent_object_is_put_if_absent
                only_an_unchanged_object_is_replaced
                a_tag_is_never_that_of_another_writing
                of_many_that_put_if_absent_one_succeeds
                of_many_that_replace_the_same_writing_one_succeeds
                writers_at_once_all_succeed_and_none_is_lost
                a_reader_never_sees_one_writing_s_bytes_with_another_s_metadata
            ]
            content::lists [
                pages_give_every_object_once_in_the_order_of_names
                a_prefix_is_compared_byte_for_byte
                objects_that_come_or_go_while_paging_are_neither_repeated_nor_in_the_way
                a_cursor_that_no_page_gave_is_refused
            ]
            content::history [
                every_put_of_a_configuration_file_is_a_version
                a_deletion_is_a_version_and_what_was_there_can_be_restored
                a_restored_version_is_a_new_one
                a_version_that_is_not_there_is_not_restored
                no_more_versions_are_kept_than_are_wanted
                what_changed_is_shown_line_by_line
                other_namespaces_keep_no_versions
                a_purged_file_is_gone_with_its_history
            ]
            content::scopes [
                a_tenant_s_objects_are_its_own
                erasing_a_tenant_leaves_the_others
                nothing_is_swept_that_an_object_refers_to
            ]
            content::isolation [
                no_call_of_content_reaches_another_tenant_s
                a_writing_of_another_tenant_s_cannot_be_guessed
                another_tenant_s_cursor_gives_one_s_own_objects_alone
                a_name_that_looks_like_a_way_to_another_tenant_is_a_name
                another_tenant_s_uri_leads_to_nothing
            ]
            content::resources [
                resources_are_listed_a_page_at_a_time_across_namespaces
                a_resource_is_read_as_text_or_as_a_blob
                a_resource_that_is_not_there_or_too_long_is_refused
            ]
            content::permissions [
                every_call_of_content_is_asked_before_anything_is_touched
            ]
        }
    };
}

const NAMES: &[(&str, &[&str])] = crate::__content_list!([crate::__conformance_names]());

/// Every case: where it is, such as `content/objects`, and its name.
pub fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    NAMES.iter().flat_map(|(place, cases)| cases.iter().map(|case| (*place, *case)))
}
