//! The manual page, from the description of the command line that also makes its help. The format is that of man(7).

use argh::{CommandInfoWithArgs, FlagInfoKind};

/// `ait.1`.
pub fn page(ait: &CommandInfoWithArgs) -> String {
    let mut out = format!(
        ".TH AIT 1 \"\" \"ait {}\" \"User Commands\"\n.SH NAME\nait \\- {}\n.SH SYNOPSIS\n.B ait\n.I command\n[\\fIoptions\\fR]\n",
        env!("CARGO_PKG_VERSION"),
        escaped(ait.description)
    );
    out.push_str(".SH COMMANDS\n");
    command(&mut out, "ait", ait);
    out.push_str(".SH EXIT STATUS\n");
    for code in ait.error_codes {
        out.push_str(&format!(".TP\n{}\n{}\n", code.code, escaped(code.description)));
    }
    out.push_str(
        ".SH FILES\n.TP\n~/.claude/sessions/active, ~/.claude/sessions/history\nThe sessions, one JSON file each.\n\
         .TP\n~/.claude/settings.json\nThe hooks by which Claude Code reports sessions.\n\
         .TP\n~/.cache/ait\nA log of errors, and other files that may be deleted at any time.\n",
    );
    out
}

/// One command, then those below it.
fn command(out: &mut String, path: &str, info: &CommandInfoWithArgs) {
    let flags: Vec<_> = info.flags.iter().filter(|flag| !flag.hidden).collect();
    if info.commands.is_empty() {
        let arguments: String =
            info.positionals.iter().map(|each| format!(" [\\fI{}\\fR]", escaped(each.name))).collect();
        out.push_str(&format!(
            ".SS {}\n.B {}{arguments}\n.PP\n{}.\n",
            escaped(path),
            escaped(path),
            escaped(info.description)
        ));
        for positional in info.positionals {
            out.push_str(&format!(".TP\n\\fI{}\\fR\n{}\n", escaped(positional.name), escaped(positional.description)));
        }
        for flag in flags {
            let short = flag.short.map(|short| format!("\\-{short}, ")).unwrap_or_default();
            let value = match flag.kind {
                FlagInfoKind::Option { arg_name } => format!(" \\fI{}\\fR", escaped(arg_name)),
                FlagInfoKind::Switch => String::new(),
            };
            out.push_str(&format!(".TP\n{short}{}{value}\n{}\n", escaped(flag.long), escaped(flag.description)));
        }
        for text in info.notes.iter().chain(info.examples) {
            out.push_str(&format!(".PP\n.nf\n{}\n.fi\n", escaped(text)));
        }
    }
    for inner in &info.commands {
        command(out, &format!("{path} {}", inner.name), &inner.command);
    }
}

/// Text as it is: a hyphen that can be copied, no request at the start of a line, no escape.
fn escaped(text: &str) -> String {
    let text = text.replace("{{", "{").replace("}}", "}").replace('\\', "\\e").replace('-', "\\-");
    let line = |line: &str| if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line.to_owned() };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}
