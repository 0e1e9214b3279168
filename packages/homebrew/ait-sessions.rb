# Written for a tap of one's own; packages/update.sh fills in the version and the checksums.
class AitSessions < Formula
  desc "Tracks and coordinates parallel Claude Code sessions"
  homepage "https://github.com/ait-sessions/ait"
  version "0.1.0"
  license any_of: ["MIT", "Apache-2.0"]

  on_macos do
    url "https://github.com/ait-sessions/ait/releases/download/v#{version}/ait-#{version}-universal-apple-darwin.tar.gz"
    sha256 "0000000000000000000000000000000000000000000000000000000000000000"
  end

  on_linux do
    on_intel do
      url "https://github.com/ait-sessions/ait/releases/download/v#{version}/ait-#{version}-x86_64-unknown-linux-musl.tar.gz"
      sha256 "0000000000000000000000000000000000000000000000000000000000000000"
    end
    on_arm do
      url "https://github.com/ait-sessions/ait/releases/download/v#{version}/ait-#{version}-aarch64-unknown-linux-musl.tar.gz"
      sha256 "0000000000000000000000000000000000000000000000000000000000000000"
    end
  end

  def install
    bin.install "ait"
    man1.install "ait.1"
    bash_completion.install "completions/ait.bash" => "ait"
    zsh_completion.install "completions/_ait"
    fish_completion.install "completions/ait.fish"
    (share/"nushell/vendor/autoload").install "completions/ait.nu"
    (share/"elvish/lib").install "completions/ait.elv" => "ait-completions.elv"
    (share/"ait/completions").install "completions/ait.xsh"
  end

  def caveats
    <<~EOS
      To connect ait to your shells, tmux and Claude Code: ait setup
      Before you uninstall the formula: ait uninstall
    EOS
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/ait --version")
    assert_match "No live sessions", shell_output("#{bin}/ait sessions live")
  end
end
