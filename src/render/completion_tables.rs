//! Completion files of shells that take them as data: nushell, elvish and xonsh. From the same description as
//! [`super::completions`].

use argh::CommandInfoWithArgs;

use super::completions::{CommandPath, Values, arguments_of, described, places, value_of};

/// The file for nushell, to be put into a folder of `$nu.user-autoload-dirs`.
pub fn nushell(ait: &CommandInfoWithArgs) -> String {
    let mut out = String::from(
        r#"# Completion of ait for nushell. Written by `ait completions nushell`.

def "nu-complete ait asked" [name: string] {
    try { ^ait completions $name | lines | split column "\t" value description } catch { [] }
}
"#,
    );
    for name in ["sessions", "targets", "projects", "days", "interrupted"] {
        out.push_str(&format!("def \"nu-complete ait {name}\" [] {{ nu-complete ait asked {name} }}\n"));
    }
    for place in places("ait", ait) {
        out.push_str(&nushell_command(&place));
    }
    out
}

/// The signature of one command, after a completer for each list of words in it.
fn nushell_command(place: &CommandPath<'_>) -> String {
    let CommandPath { path, command } = place;
    let (mut completers, mut lines) = (String::new(), String::new());
    let mut kind_of = |values: Values, name: &str| match values {
        Values::Words(words) => {
            let completer = format!("nu-complete {path} {name}");
            completers.push_str(&format!("def \"{completer}\" [] {{ [{words}] }}\n"));
            format!("string@\"{completer}\"")
        }
        Values::Folder => "directory".to_owned(),
        Values::File => "path".to_owned(),
        Values::Asked(name) => format!("string@\"nu-complete ait {name}\""),
        Values::Free => "string".to_owned(),
    };
    // Declared, --help would show what nushell knows of the command.
    for flag in place.options().filter(|flag| flag.long != "--help") {
        let short = flag.short.map(|short| format!("(-{short})")).unwrap_or_default();
        let kind = value_of(flag).map(|values| format!(": {}", kind_of(values, flag.long))).unwrap_or_default();
        lines.push_str(&format!("    {}{short}{kind} # {}\n", flag.long, described(flag.description)));
    }
    lines.push_str(&format!("    ...arguments: {}\n", kind_of(arguments_of(path), "arguments")));
    let about = described(command.description);
    format!("\n{completers}# {about}\nextern \"{path}\" [\n{lines}]\n")
}

/// What is proposed for one word.
struct Proposal<'a> {
    word: &'a str,
    about: String,
}

/// What can follow a command: commands, arguments and options.
fn proposals<'a>(place: &'a CommandPath<'_>) -> Vec<Proposal<'a>> {
    let commands = place.command.commands.iter();
    let mut all: Vec<_> =
        commands.map(|inner| Proposal { word: inner.name, about: described(inner.command.description) }).collect();
    if let Values::Words(words) = arguments_of(&place.path) {
        all.extend(words.split(' ').map(|word| Proposal { word, about: String::new() }));
    }
    all.extend(place.options().map(|flag| Proposal { word: flag.long, about: described(flag.description) }));
    all
}

/// The values as a table has them: words, `@folder`, `@file`, `@` and what to ask for, or nothing.
fn in_table(values: Values) -> String {
    match values {
        Values::Words(words) => words.to_owned(),
        Values::Folder => "@folder".to_owned(),
        Values::File => "@file".to_owned(),
        Values::Asked(name) => format!("@{name}"),
        Values::Free => String::new(),
    }
}

/// The values of each option, under the path of its command and its name. Values of arguments that `ait` is asked for are
/// under the name `*`.
fn option_values(places: &[CommandPath<'_>]) -> Vec<(String, String)> {
    let of_place = |place: &CommandPath<'_>| {
        let mut all: Vec<_> = place
            .options()
            .filter_map(|flag| Some((format!("{} {}", place.path, flag.long), in_table(value_of(flag)?))))
            .collect();
        if let values @ Values::Asked(_) = arguments_of(&place.path) {
            all.push((format!("{} *", place.path), in_table(values)));
        }
        all
    };
    places.iter().flat_map(of_place).collect()
}

/// The end of the file for elvish, after the two tables.
const ELVISH_END: &str = r#"]

fn asked {|name|
  try {
    ait completions $name 2> /dev/null | from-lines | each {|line|
      var word meaning = (str:split "\t" $line)
      edit:complex-candidate $word &display=$word'  '$meaning
    }
  } catch { nop }
}

set edit:completion:arg-completer[ait] = {|@words|
  var at before = ait ''
  for word $words[1..-1] {
    if (has-key $proposals $at' '$word) { set at = $at' '$word }
    set before = $word
  }
  var option = $at' '$before
  if (not (has-key $values $option)) {
    var all = $proposals[$at]
    for i [(range 0 (count $all) &step=2)] {
      edit:complex-candidate $all[$i] &display=$all[$i]'  '$all[(+ $i 1)]
    }
    if (has-key $values $at' *') { asked $values[$at' *'][1..] }
  } elif (has-value ['@folder' '@file'] $values[$option]) {
    edit:complete-filename $words[-1]
  } elif (str:has-prefix $values[$option] '@') {
    asked $values[$option][1..]
  } else {
    str:split ' ' $values[$option]
  }
}
"#;

/// The file for elvish, to be loaded by `eval (ait completions elvish | slurp)`.
pub fn elvish(ait: &CommandInfoWithArgs) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let places = places("ait", ait);
    let mut out = String::from(
        "# Completion of ait for elvish. Written by `ait completions elvish`.\n\nuse str\n\n# Each word is followed by what it means.\nvar proposals = [\n",
    );
    for place in &places {
        let words = proposals(place).iter().map(|it| format!(" {} {}", it.word, quoted(&it.about))).collect::<String>();
        out.push_str(&format!("  &{}=[{}]\n", quoted(&place.path), words.trim_start()));
    }
    out.push_str("]\n\nvar values = [\n");
    for (option, values) in option_values(&places) {
        out.push_str(&format!("  &{}={}\n", quoted(&option), quoted(&values)));
    }
    out.push_str(ELVISH_END);
    out
}

/// The file for xonsh up to the first table.
const XONSH_START: &str = r#"# Completion of ait for xonsh. Written by `ait completions xonsh`.


def __ait_load():
    import subprocess

    from xonsh.completers.completer import add_one_completer
    from xonsh.completers.path import complete_dir, contextual_complete_path
    from xonsh.completers.tools import RichCompletion, contextual_command_completer_for

    # Each word is followed by what it means.
    proposals = {
"#;

/// The end of the file for xonsh, after the two tables.
const XONSH_END: &str = r#"    }

    def asked(name):
        command = ["ait", "completions", name]
        try:
            said = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True).stdout
        except OSError:
            return {}
        lines = said.decode(errors="replace").split("\n")
        return dict(line.split("\t", 1) for line in lines if "\t" in line)

    @contextual_command_completer_for("ait")
    def complete(context):
        at, before = "ait", ""
        for argument in context.args[1 : context.arg_index]:
            before = argument.value
            if at + " " + before in proposals:
                at += " " + before
        known = values.get(at + " " + before)
        if known == "@folder":
            return complete_dir(context)
        if known == "@file":
            return contextual_complete_path(context)
        if known is None:
            found = proposals[at] | asked(values[at + " *"][1:]) if at + " *" in values else proposals[at]
        elif known.startswith("@"):
            found = asked(known[1:])
        else:
            found = dict.fromkeys(known.split(), "")
        return {
            RichCompletion(word, description=about, append_space=True)
            for word, about in found.items()
            if word.startswith(context.prefix)
        }

    add_one_completer("ait", complete, "start")


__ait_load()
del __ait_load
"#;

/// The file for xonsh, to be loaded by `execx($(ait completions xonsh))`.
pub fn xonsh(ait: &CommandInfoWithArgs) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"));
    let places = places("ait", ait);
    let mut out = String::from(XONSH_START);
    for place in &places {
        let words: Vec<_> =
            proposals(place).iter().map(|it| format!("{}: {}", quoted(it.word), quoted(&it.about))).collect();
        out.push_str(&format!("        {}: {{{}}},\n", quoted(&place.path), words.join(", ")));
    }
    out.push_str("    }\n    values = {\n");
    for (option, values) in option_values(&places) {
        out.push_str(&format!("        {}: {},\n", quoted(&option), quoted(&values)));
    }
    out.push_str(XONSH_END);
    out
}
