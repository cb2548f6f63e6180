//! Conversations to ask about: pieces, scores of some, and what attacks came to.

use serde_json::json;
use trimaran::Conversation;
use trimaran::id::ConversationId;
use trimaran::model::conversation::{
    AttackDetails, AttackOutcome, NewAttackResult, NewScore, ResponseError, ScoreDetails, ScoreType,
};
use trimaran::model::{Identifier, NewMessage};

use crate::Result;
use crate::data::{self, MESSAGES};

/// As many at a time.
const BATCH: usize = 50_000;
/// One piece in so many is scored, and one in so many attacks has a conversation.
const SCORED: usize = 10;
/// Days that the pieces are spread over.
const DAYS: usize = 60;
const SCORERS: [&str; 3] = ["SelfAskRefusalScorer", "SelfAskTrueFalseScorer", "SubStringScorer"];
const HARMS: [&str; 4] = ["violence", "fraud", "privacy", "malware"];

fn message(number: usize) -> Result<NewMessage> {
    let mut message = data::message(&data::said(number));
    let start: trimaran::Timestamp = "2025-01-01T00:00:00Z".parse()?;
    for piece in &mut message.pieces {
        let seconds = (number * 7919 % (DAYS * 86_400)) as i64;
        piece.created_at = Some(start + chrono::TimeDelta::seconds(seconds));
        if number.is_multiple_of(11) {
            piece.error = ResponseError::Blocked;
        }
        if let Some(target) = &mut piece.target {
            target.details.insert("model_name".to_owned(), json!(format!("model-{}", number / MESSAGES % 7)));
        }
    }
    Ok(message)
}

/// So many pieces, a tenth as many scores, a hundredth as many results of attacks.
pub(crate) async fn fill(conversation: &Conversation, pieces: usize) -> Result<()> {
    for from in (0..pieces).step_by(BATCH) {
        let to = pieces.min(from + BATCH);
        let messages = (from..to).map(message).collect::<Result<Vec<_>>>()?;
        let appended = conversation.pieces.append_all(messages).await?;
        let ids = appended.into_iter().flat_map(|message| message.pieces);
        let scores = ids.step_by(SCORED).enumerate().map(|(number, piece)| {
            let (kind, value) = match number % 3 {
                2 => (ScoreType::FloatScale, format!("0.{}", number % 10)),
                _ => (ScoreType::TrueFalse, (number % 4 == 0).to_string()),
            };
            let scorer = Some(Identifier::of_class(SCORERS[number % SCORERS.len()]));
            let categories = vec![HARMS[number % HARMS.len()].to_owned()];
            NewScore::of(piece, ScoreDetails { scorer, categories, ..ScoreDetails::of(kind, value) })
        });
        conversation.scores.add(scores.collect()).await?;
        let results = (from.div_ceil(MESSAGES)..to.div_ceil(MESSAGES)).map(|number| {
            let outcome = if number % 3 == 0 { AttackOutcome::Success } else { AttackOutcome::Failure };
            let details = AttackDetails {
                identifier: Some(Identifier::of_class(format!("Attack{}", number % 5))),
                targeted_harm_categories: vec![HARMS[number % HARMS.len()].to_owned()],
                ..AttackDetails::of("the objective of the attack", outcome)
            };
            NewAttackResult::of(ConversationId(data::conversation(number)), details)
        });
        conversation.attack_results.add(results.collect()).await?;
    }
    Ok(())
}
