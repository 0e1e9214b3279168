//! What makes a terminal notify its user.

/// How a terminal is told to notify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notifier {
    /// OSC 9: iTerm2, WezTerm, ghostty, Warp.
    /// <https://iterm2.com/documentation-escape-codes.html>
    Osc9,
    /// OSC 777: foot, urxvt, terminals with the library VTE.
    /// <https://codeberg.org/dnkl/foot#notifications>
    Osc777,
    /// OSC 99: kitty.
    /// <https://sw.kovidgoyal.net/kitty/desktop-notifications/>
    Osc99,
    /// The bell, which tmux shows in its status line; and OSC 9 for the terminal around tmux, which passes it on if its
    /// option `allow-passthrough` is `on`, then only from panes that are shown, or `all` (tmux 3.4).
    Tmux,
    /// The bell, which every terminal has.
    Bell,
}

impl Notifier {
    /// The one that a terminal understands, by the variables that it sets.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Notifier {
        let has = |name: &str| variable(name).is_some();
        let term = variable("TERM").unwrap_or_default();
        let program = variable("TERM_PROGRAM").or_else(|| variable("LC_TERMINAL")).unwrap_or_default();
        match (&*term, &*program) {
            _ if has("TMUX") => Notifier::Tmux,
            ("linux" | "dumb", _) => Notifier::Bell,
            ("xterm-kitty", _) => Notifier::Osc99,
            (_, "iTerm.app" | "iTerm2" | "WezTerm" | "ghostty" | "WarpTerminal") => Notifier::Osc9,
            (term, _) if term.starts_with("foot") || term.starts_with("rxvt") || has("VTE_VERSION") => Notifier::Osc777,
            _ => Notifier::Bell,
        }
    }

    /// What it is, for the user.
    pub fn name(self) -> &'static str {
        match self {
            Notifier::Osc9 => "OSC 9",
            Notifier::Osc777 => "OSC 777",
            Notifier::Osc99 => "OSC 99",
            Notifier::Tmux => "the bell of tmux, and OSC 9 if allow-passthrough is on or all",
            Notifier::Bell => "the bell",
        }
    }

    /// The sequence for a text, of which control characters are left out.
    pub fn sequence(self, text: &str) -> String {
        let text: String = text.chars().filter(|c| !c.is_control()).collect();
        match self {
            Notifier::Osc9 => format!("\x1b]9;{text}\x07"),
            // A semicolon separates title and text.
            Notifier::Osc777 => format!("\x1b]777;notify;Claude Code;{}\x07", text.replace(';', ",")),
            Notifier::Osc99 => format!("\x1b]99;;{text}\x1b\\"),
            Notifier::Tmux => format!("\x07\x1bPtmux;\x1b\x1b]9;{text}\x07\x1b\\"),
            Notifier::Bell => "\x07".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_terminal_gets_what_it_understands() {
        for (variables, wanted) in [
            (&[("TERM", "xterm-kitty")][..], Notifier::Osc99),
            (&[("TERM", "tmux-256color"), ("TMUX", "/s,1,0"), ("TERM_PROGRAM", "tmux")], Notifier::Tmux),
            (&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "iTerm.app")], Notifier::Osc9),
            (&[("TERM", "xterm-256color"), ("LC_TERMINAL", "iTerm2")], Notifier::Osc9),
            (&[("TERM", "foot")], Notifier::Osc777),
            (&[("TERM", "xterm-256color"), ("VTE_VERSION", "7006")], Notifier::Osc777),
            (&[("TERM", "xterm-256color")], Notifier::Bell),
            (&[("TERM", "linux"), ("TERM_PROGRAM", "WezTerm")], Notifier::Bell),
            (&[], Notifier::Bell),
        ] {
            let variable = |name: &str| Some(variables.iter().find(|(known, _)| *known == name)?.1.to_owned());
            assert_eq!(Notifier::of(variable), wanted, "{variables:?}");
        }
    }

    #[test]
    fn text_ends_no_sequence() {
        let hostile = "a\x07b\x1b\\c\u{9c}d;e\n";
        for notifier in [Notifier::Osc9, Notifier::Osc777, Notifier::Osc99] {
            let sequence = notifier.sequence(hostile);
            assert!(sequence.contains("ab\\cd"), "{sequence:?}");
            assert_eq!(sequence.matches(['\x07', '\x1b', '\u{9c}']).count(), 2, "its own begin and end");
        }
        assert_eq!(Notifier::Osc777.sequence(hostile).matches(';').count(), 3);
        assert_eq!(Notifier::Tmux.sequence("x"), "\x07\x1bPtmux;\x1b\x1b]9;x\x07\x1b\\");
    }
}
