//! Closed sets of terms: who says a piece, what kind of data it is, how an answer went wrong.
//!
//! They are enums and not text although PyRIT has added to them (five kinds of data between 0.8 and 1.1): code branches on
//! them, and a filter by a misspelt word would find nothing and say nothing. The price is that a kind of data which a later PyRIT
//! adds is refused, by name, until it is added here: one line.

/// Declares an enum of terms that are kept, shown and serialised as one word each.
macro_rules! terms {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
        )]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $text)] $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [$name] = &[$($name::$variant),*];

            /// The word.
            pub const fn name(self) -> &'static str {
                match self {
                    $($name::$variant => $text,)*
                }
            }

            /// What this word says; `None` if it isn't one of them.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|term| term.name() == name)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::Error;

            fn from_str(text: &str) -> Result<Self, $crate::Error> {
                Self::from_name(text).ok_or_else(|| {
                    let all: Vec<_> = Self::ALL.iter().map(|term| term.name()).collect();
                    $crate::Error::new($crate::ErrorKind::Invalid, concat!("read ", $what))
                        .context("the word is not known")
                        .hint(format!("use one of {}", all.join(", ")))
                })
            }
        }
    };
}
#[allow(unused_imports, reason = "other sets of terms of the area are declared with it")]
pub(in crate::model) use terms;

terms! {
    /// Who says a piece (PyRIT 1.1: `ChatMessageRole`).
    ChatRole, "a role" {
        /// Instructions that come before the conversation.
        System = "system",
        /// The one who asks.
        User = "user",
        /// The target that answers.
        Assistant = "assistant",
        /// What the target is made to believe that it answered. To the target it is `assistant`.
        SimulatedAssistant = "simulated_assistant",
        /// What a tool returned.
        Tool = "tool",
        /// Instructions of the developer, where a target tells them from the system's.
        Developer = "developer",
    }
}

impl ChatRole {
    /// Whether it is the target's answer, true or simulated.
    pub const fn is_answer(self) -> bool {
        matches!(self, ChatRole::Assistant | ChatRole::SimulatedAssistant)
    }
}

terms! {
    /// What kind of data a value is (PyRIT 1.1: `PromptDataType`).
    DataType, "a data type" {
        /// Text.
        Text = "text",
        /// Where an image is.
        ImagePath = "image_path",
        /// Where a recording is.
        AudioPath = "audio_path",
        /// Where a film is.
        VideoPath = "video_path",
        /// Where any other file is.
        BinaryPath = "binary_path",
        /// An address.
        Url = "url",
        /// What a target thought before it answered.
        Reasoning = "reasoning",
        /// What went wrong instead of an answer.
        Error = "error",
        /// The call of a function.
        FunctionCall = "function_call",
        /// The call of a tool.
        ToolCall = "tool_call",
        /// What a function returned.
        FunctionCallOutput = "function_call_output",
    }
}

terms! {
    /// How an answer went wrong, or that it did not (PyRIT: `PromptResponseError`).
    ResponseError, "a response's error" {
        /// It did not.
        None = "none",
        /// A filter outside of the target withheld it.
        Blocked = "blocked",
        /// It could not be made, for a reason that has nothing to do with the request.
        Processing = "processing",
        /// It was empty.
        Empty = "empty",
        /// Something else.
        Unknown = "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn every_term_is_read_from_its_word_and_serialised_as_it() {
        for &role in ChatRole::ALL {
            assert_eq!(role.name().parse::<ChatRole>().unwrap(), role);
            assert_eq!(serde_json::to_value(role).unwrap(), role.name());
        }
        for &kind in DataType::ALL {
            assert_eq!(kind.name().parse::<DataType>().unwrap(), kind);
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        for &error in ResponseError::ALL {
            assert_eq!(error.name().parse::<ResponseError>().unwrap(), error);
            assert_eq!(serde_json::to_value(error).unwrap(), error.name());
        }
    }

    #[test]
    fn another_word_is_refused_with_those_that_there_are() {
        let error = "User".parse::<ChatRole>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.next_step().is_some_and(|hint| hint.contains("simulated_assistant")));
    }
}
