use super::{ContentFixture, all, names};
use crate::conformance::kind;
use crate::model::{Namespace, NewObject};
use crate::{Cursor, ErrorKind, PageRequest};

const NAMESPACE: Namespace = Namespace::Templates;

pub async fn pages_give_every_object_once_in_the_order_of_names(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    let mut expected: Vec<String> = (0..23).map(|n| format!("{:02}", n * 7 % 23)).collect();
    for name in &expected {
        content.put(NAMESPACE, name, NewObject::new("x")).await.unwrap();
    }
    expected.sort_unstable();
    for limit in [1, 5, 22, 23, 24] {
        assert_eq!(names(&all(&content, NAMESPACE, "", limit).await), expected);
    }
}

pub async fn a_prefix_is_compared_byte_for_byte(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    // Longer than what of a name is seen in its key, too.
    let (long, longer) = (format!("{}a", "p".repeat(70)), format!("{}b", "p".repeat(70)));
    for name in ["a", "a/b", "a/c", "A/b", "ab", "á", "a\u{301}", "%", "_", &long, &longer] {
        content.put(NAMESPACE, name, NewObject::new("x")).await.unwrap();
    }
    for (prefix, expected) in [
        ("a/", vec!["a/b", "a/c"]),
        ("a", vec!["a", "a/b", "a/c", "ab", "a\u{301}"]),
        ("A", vec!["A/b"]),
        ("%", vec!["%"]),
        ("_", vec!["_"]),
        (&long[..66], vec![&long, &longer]),
        (&longer, vec![&longer]),
        ("b", vec![]),
    ] {
        for limit in [1, 100] {
            let mut listed = all(&content, NAMESPACE, prefix, limit).await;
            listed.sort_by(|a, b| a.name.cmp(&b.name));
            assert_eq!(names(&listed), expected, "{prefix}");
        }
    }
}

pub async fn objects_that_come_or_go_while_paging_are_neither_repeated_nor_in_the_way(
    fixture: &dyn ContentFixture,
) {
    let content = fixture.tenant();
    for name in ["b", "d", "f", "h"] {
        content.put(NAMESPACE, name, NewObject::new("x")).await.unwrap();
    }
    let first = content.list(NAMESPACE, "", &PageRequest::first(2).unwrap()).await.unwrap();
    assert_eq!(names(&first.items), ["b", "d"]);
    for name in ["a", "c", "e"] {
        content.put(NAMESPACE, name, NewObject::new("x")).await.unwrap();
    }
    for name in ["b", "d", "f"] {
        content.delete(NAMESPACE, name).await.unwrap();
    }
    let request = PageRequest::first(9).unwrap().after(first.next.unwrap());
    assert_eq!(names(&content.list(NAMESPACE, "", &request).await.unwrap().items), ["e", "h"]);
}

pub async fn a_cursor_that_no_page_gave_is_refused(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    for wrong in ["", "b", "../../etc/passwd", "\0", "a/b"] {
        let request = PageRequest::first(9).unwrap().after(Cursor::new(wrong));
        assert_eq!(kind(content.list(NAMESPACE, "", &request).await), ErrorKind::Invalid, "{wrong}");
    }
}
