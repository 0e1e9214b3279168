# Everyday commands: `just` lists them, `just NAME` runs one. https://just.systems
# Each is a plain command that also works without `just`.

# List the commands.
default:
    @just --list

# Compile everything, tests and benchmarks too.
build:
    cargo build --locked --all-targets

# Format, then check formatting and lints, as CI does.
lint:
    cargo fmt
    cargo clippy --locked --all-targets -- -D warnings

# Run the tests, or only those whose name contains FILTER.
test *FILTER:
    cargo test --locked {{ if FILTER == "" { "" } else { "--test it -- " + FILTER } }}

# Everything that must pass before a change is merged. Installs missing tools and says so.
check:
    sh tests/run.sh

# Try the program: three sessions in a temporary folder, and every command at work on them.
demo:
    cargo run --locked -- demo

# Open the documentation of the code.
doc:
    cargo doc --locked --no-deps --open

# Licences, sources and advisories of the dependencies.
deny:
    cargo deny check

# Measure: the floor, ait and its peers, in one run.
bench:
    cargo bench --locked

# Build the release binary and install it into ~/.local/bin.
install:
    sh shell/install.sh

# Regenerate the completion files and the pictures in the README.
generate:
    cargo build --locked --release
    target/release/ait completions bash > completions/ait.bash
    target/release/ait completions zsh > completions/_ait
    target/release/ait completions fish > completions/ait.fish
    target/release/ait completions nushell > completions/ait.nu
    target/release/ait completions elvish > completions/ait.elv
    target/release/ait completions xonsh > completions/ait.xsh
    python3 shell/picture.py
