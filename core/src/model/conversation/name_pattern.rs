//! Names that are like a pattern.

/// A pattern of names, as SQL's LIKE has it: `%` stands for any characters, `_` for one, `\` takes the next character as
/// it is. Characters are compared one by one, capitals and small ones apart, the same on every engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePattern(String);

impl NamePattern {
    /// This pattern.
    pub fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    /// Whether the name is like it.
    pub fn matches(&self, name: &str) -> bool {
        let pattern = self.parts();
        let name: Vec<char> = name.chars().collect();
        // Where to go on if what was matched last proves wrong: after the last `%`, one character further.
        let (mut at, mut part, mut retry) = (0, 0, None);
        while at < name.len() {
            match pattern.get(part) {
                Some(Part::Any) => {
                    part += 1;
                    retry = Some((at, part));
                    continue;
                }
                Some(Part::One) => {}
                Some(Part::This(c)) if *c == name[at] => {}
                _ => {
                    let Some((from, after)) = retry else { return false };
                    at = from + 1;
                    part = after;
                    retry = Some((at, after));
                    continue;
                }
            }
            at += 1;
            part += 1;
        }
        pattern[part..].iter().all(|part| *part == Part::Any)
    }

    fn parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut chars = self.0.chars();
        while let Some(c) = chars.next() {
            parts.push(match c {
                '%' => Part::Any,
                '_' => Part::One,
                '\\' => Part::This(chars.next().unwrap_or('\\')),
                other => Part::This(other),
            });
        }
        parts
    }
}

#[derive(Debug, PartialEq)]
enum Part {
    Any,
    One,
    This(char),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_read_as_like_reads_it() {
        for (pattern, like, unlike) in [
            ("harm%", &["harm", "harmful"][..], &["a harm", "Harm", ""][..]),
            ("%test%", &["test", "a test b", "tetest"], &["tes"]),
            ("a_c", &["abc", "a\u{1f468}c", "a\0c"], &["ac", "abbc"]),
            (r"100\%", &["100%"], &["1000"]),
            ("%a%b", &["ab", "aab", "abab"], &["aba", "b"]),
            ("%", &["", "x"], &[]),
            ("", &[""], &["x"]),
        ] {
            for name in like {
                assert!(NamePattern::new(pattern).matches(name), "{pattern} {name}");
            }
            for name in unlike {
                assert!(!NamePattern::new(pattern).matches(name), "{pattern} {name}");
            }
        }
    }
}
