use secrecy::SecretString;

use crate::ErrorKind;
use crate::conformance::{Fixture, kind, text};
use crate::id::UserId;

fn secret(text: &str) -> SecretString {
    text.into()
}

pub async fn the_right_password_lets_in(fixture: &dyn Fixture) {
    let users = fixture.identity().users;
    let ann = fixture.user("ann").await;
    users.set_password(ann.id, &secret("correct horse")).await.unwrap();
    assert_eq!(users.verify_password("ann", &secret("correct horse")).await.unwrap(), Some(ann.clone()));
    // Neither the version nor anything else that a user shows has changed.
    assert_eq!(users.find(ann.id).await.unwrap(), Some(ann));
}

pub async fn any_other_password_name_or_state_does_not(fixture: &dyn Fixture) {
    let users = fixture.identity().users;
    let ann = fixture.user("ann").await;
    fixture.user("bob").await;
    for word in ["", "x"] {
        assert_eq!(users.verify_password("bob", &secret(word)).await.unwrap(), None);
        assert_eq!(users.verify_password("nobody", &secret(word)).await.unwrap(), None);
    }
    users.set_password(ann.id, &secret("correct horse")).await.unwrap();
    for wrong in ["", "Correct horse", "correct horse ", "correct horse\0", "correct"] {
        assert_eq!(users.verify_password("ann", &secret(wrong)).await.unwrap(), None, "{wrong:?}");
    }
    assert_eq!(users.verify_password("Ann", &secret("correct horse")).await.unwrap(), None);
    users.disable(ann.id).await.unwrap();
    assert_eq!(users.verify_password("ann", &secret("correct horse")).await.unwrap(), None);
    let ann = users.enable(ann.id).await.unwrap();
    assert_eq!(users.verify_password("ann", &secret("correct horse")).await.unwrap(), Some(ann));
}

pub async fn a_new_password_ends_the_old_one(fixture: &dyn Fixture) {
    let users = fixture.identity().users;
    let ann = fixture.user("ann").await;
    users.set_password(ann.id, &secret("old")).await.unwrap();
    users.set_password(ann.id, &secret("new")).await.unwrap();
    assert_eq!(users.verify_password("ann", &secret("old")).await.unwrap(), None);
    assert!(users.verify_password("ann", &secret("new")).await.unwrap().is_some());
}

pub async fn a_password_may_be_any_text(fixture: &dyn Fixture) {
    let users = fixture.identity().users;
    let ann = fixture.user("ann").await;
    for text in text::HOSTILE {
        users.set_password(ann.id, &secret(text)).await.unwrap();
        assert!(users.verify_password("ann", &secret(text)).await.unwrap().is_some(), "{text:?}");
    }
}

pub async fn a_password_that_is_none_or_nobody_s_is_refused(fixture: &dyn Fixture) {
    let users = fixture.identity().users;
    let ann = fixture.user("ann").await;
    users.set_password(ann.id, &secret("kept")).await.unwrap();
    for wrong in [String::new(), "x".repeat(4_097)] {
        assert_eq!(kind(users.set_password(ann.id, &wrong.into()).await), ErrorKind::Invalid);
    }
    let nobody = UserId(uuid::Uuid::max());
    assert_eq!(kind(users.set_password(nobody, &secret("x")).await), ErrorKind::NotFound);
    assert!(users.verify_password("ann", &secret("kept")).await.unwrap().is_some());
}

pub async fn a_deleted_user_s_password_does_not_come_back(fixture: &dyn Fixture) {
    let users = fixture.identity().users;
    let ann = fixture.user("ann").await;
    users.set_password(ann.id, &secret("old")).await.unwrap();
    users.delete(ann.id).await.unwrap();
    fixture.user("ann").await;
    assert_eq!(users.verify_password("ann", &secret("old")).await.unwrap(), None);
}
