//! Styles: the palettes, and the language in which a user writes the style of a token.

use nu_ansi_term::{Color, Style};

use super::format::Token;
use super::theme::{Icons, Mark, Role};

/// The colours of all roles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Palette {
    /// The sixteen colours that every terminal theme sets for itself.
    #[default]
    Default,
    /// For red-green colour blindness: blue, yellow and orange.
    Deutan,
    /// For blue-yellow colour blindness: turquoise and red.
    Tritan,
    /// No colours: bold, dim and reverse only.
    Mono,
}

impl Palette {
    /// The names, in the order of the palettes.
    pub const NAMES: [&'static str; 4] = ["default", "deutan", "tritan", "mono"];

    /// Reads a name.
    pub fn parse(name: &str) -> Option<Palette> {
        let palettes = [Palette::Default, Palette::Deutan, Palette::Tritan, Palette::Mono];
        let at = Palette::NAMES.iter().position(|known| *known == name)?;
        palettes.get(at).copied()
    }

    /// The style of a role. The palettes for colour-blind users differ in the colours only.
    pub fn style(self, role: Role) -> Style {
        let style = role.style();
        // Colours of the 256 of xterm, which themes do not change.
        let (cool, cold, warm, hot) = match self {
            Palette::Default => return style,
            Palette::Deutan => (74, 33, 220, 208),
            Palette::Tritan => (44, 37, 217, 197),
            Palette::Mono => return Style { foreground: None, ..style },
        };
        let color = style.foreground.map(|color| match color {
            Color::Cyan => cool,
            Color::Blue => cold,
            Color::Yellow => warm,
            _ => hot,
        });
        Style { foreground: color.map(Color::Fixed), ..style }
    }
}

/// What the user has chosen: a palette, the styles of single tokens, and from which share on something is alarming.
#[derive(Clone, Debug)]
pub struct Theme {
    /// The palette.
    pub palette: Palette,
    /// The styles of tokens.
    pub styles: Vec<(Token, Style)>,
    /// The user's own marks.
    pub marks: Vec<(Mark, String)>,
    /// From which percentage of the context on it is shown as a warning, and as critical.
    pub context: (u16, u16),
    /// The same for each limit.
    pub limits: (u16, u16),
}

/// The percentages that are used if nothing else is configured.
pub const THRESHOLDS: (u16, u16) = (70, 90);

impl Default for Theme {
    fn default() -> Theme {
        Theme {
            palette: Palette::Default,
            styles: Vec::new(),
            marks: Vec::new(),
            context: THRESHOLDS,
            limits: THRESHOLDS,
        }
    }
}

impl Theme {
    /// The user's style of a token.
    pub fn style(&self, token: Token) -> Option<Style> {
        self.styles.iter().find(|(known, _)| *known == token).map(|(_, style)| *style)
    }

    /// The user's background of a token.
    pub(super) fn ground(&self, token: Token) -> Option<Color> {
        self.style(token)?.background
    }
}

/// How a segment or a list looks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look<'a> {
    /// Whether there is colour.
    pub color: bool,
    /// The set of marks.
    pub icons: Icons,
    /// The most cells that a segment takes; `None` for no bound.
    pub max_width: Option<usize>,
    /// What the user has chosen; `None` for the defaults.
    pub theme: Option<&'a Theme>,
}

impl<'a> Look<'a> {
    /// A mark: the user's own, or that of the set.
    pub(super) fn mark(self, mark: Mark) -> &'a str {
        let marks = self.theme.map(|theme| theme.marks.as_slice()).unwrap_or_default();
        let own = marks.iter().find(|(known, _)| *known == mark).map(|(_, text)| text.as_str());
        own.unwrap_or_else(|| self.icons.mark(mark))
    }
}

/// The names of the sixteen colours, the bright ones without their prefix.
const COLORS: [(&str, Color, Color); 8] = [
    ("black", Color::Black, Color::DarkGray),
    ("red", Color::Red, Color::LightRed),
    ("green", Color::Green, Color::LightGreen),
    ("yellow", Color::Yellow, Color::LightYellow),
    ("blue", Color::Blue, Color::LightBlue),
    ("magenta", Color::Magenta, Color::LightMagenta),
    ("cyan", Color::Cyan, Color::LightCyan),
    ("white", Color::White, Color::LightGray),
];

/// What a style may be, for messages.
pub const STYLE_HELP: &str = "write words such as bold, dim, italic, underline, reverse, a colour (cyan, bright-cyan, 0 to \
     255, #ffcc00), and `on` before a background colour";

/// Reads a style: `bold #ffcc00 on 236`. The error is the word that is not understood.
///
/// # Errors
/// The first word that is no attribute and no colour.
pub fn parse(text: &str) -> Result<Style, String> {
    let mut style = Style::new();
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        match word {
            "bold" => style.is_bold = true,
            "dim" => style.is_dimmed = true,
            "italic" => style.is_italic = true,
            "underline" => style.is_underline = true,
            "reverse" => style.is_reverse = true,
            "plain" => style = Style::new(),
            "on" => {
                let word = words.next().unwrap_or_default();
                style.background = Some(color(word).ok_or_else(|| format!("on {word}"))?);
            }
            _ => style.foreground = Some(color(word).ok_or_else(|| word.to_owned())?),
        }
    }
    Ok(style)
}

fn color(word: &str) -> Option<Color> {
    if let Some(hex) = word.strip_prefix('#') {
        let value = u32::from_str_radix(hex, 16).ok().filter(|_| !hex.starts_with('+'))?;
        let byte = |shift: u32| u8::try_from(value >> shift & 0xff).unwrap_or(0);
        let digit = |shift: u32| u8::try_from(value >> shift & 0xf).unwrap_or(0) * 0x11;
        return match hex.len() {
            6 => Some(Color::Rgb(byte(16), byte(8), byte(0))),
            3 => Some(Color::Rgb(digit(8), digit(4), digit(0))),
            _ => None,
        };
    }
    if word.bytes().all(|byte| byte.is_ascii_digit()) {
        return word.parse().ok().map(Color::Fixed);
    }
    let (name, is_bright) = word.strip_prefix("bright-").map_or((word, false), |name| (name, true));
    let (_, usual, bright) = COLORS.into_iter().find(|(known, ..)| *known == name)?;
    Some(if is_bright { bright } else { usual })
}

/// The colour as zsh and tmux write it: a name, a number with the prefix of the reader, or `#rrggbb`. A reader without a prefix
/// for bright colours knows them as 8 to 15. Hexadecimal digits are lower-case: tmux expands `#D` and `#F`.
pub(super) fn name_of(color: Color, bright: Option<&str>, number: &str) -> String {
    match color {
        Color::Fixed(value) => format!("{number}{value}"),
        Color::Rgb(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
        // The old name of magenta.
        Color::Purple => "magenta".to_owned(),
        _ => COLORS
            .into_iter()
            .enumerate()
            .find_map(|(at, (name, usual, light))| match bright {
                _ if color == usual => Some(name.to_owned()),
                Some(bright) if color == light => Some(format!("{bright}{name}")),
                None if color == light => Some(format!("{}", 8 + at)),
                _ => None,
            })
            .unwrap_or_else(|| "default".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_style_is_words_in_any_order() {
        assert_eq!(parse("bold cyan"), Ok(Style::new().bold().fg(Color::Cyan)));
        assert_eq!(
            parse("#fc0 dim on bright-red"),
            Ok(Style::new().dimmed().fg(Color::Rgb(255, 204, 0)).on(Color::LightRed))
        );
        assert_eq!(parse(" 208  on #102030 "), Ok(Style::new().fg(Color::Fixed(208)).on(Color::Rgb(16, 32, 48))));
        assert_eq!(parse("bold plain italic underline reverse"), Ok(Style::new().italic().underline().reverse()));
        assert_eq!(parse(""), Ok(Style::new()));
        for wrong in ["blod", "256", "#12345", "#+12345", "#é1", "bright-", "-1", "on", "on bold", "on on"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(parse("bold on nowhere"), Err("on nowhere".to_owned()));
    }

    #[test]
    fn in_every_palette_waiting_conflict_and_plain_differ_in_more_than_hue() {
        for name in Palette::NAMES {
            let palette = Palette::parse(name).unwrap();
            let [waiting, conflict, clobber, plain] =
                [Role::Waiting, Role::Conflict, Role::Clobber, Role::Plain].map(|role| palette.style(role));
            assert!(waiting.is_bold && conflict.is_bold && !plain.is_bold, "{name}");
            assert!(clobber.is_reverse && !conflict.is_reverse, "{name}");
            assert_eq!(palette == Palette::Mono, waiting.foreground.is_none(), "{name}");
        }
    }
}
