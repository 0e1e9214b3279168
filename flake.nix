{
  description = "ait: tracks and coordinates parallel Claude Code sessions";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixpkgs-unstable";

  outputs =
    { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ];
      forEach = nixpkgs.lib.genAttrs systems;
      manifest = builtins.fromTOML (builtins.readFile ./Cargo.toml);
    in
    {
      packages = forEach (
        system:
        let
          # On Linux the static build, which starts fastest.
          pkgs = nixpkgs.legacyPackages.${system};
          target = if pkgs.stdenv.isLinux then pkgs.pkgsStatic else pkgs;
        in
        {
          default = target.rustPlatform.buildRustPackage {
            pname = manifest.package.name;
            version = manifest.package.version;
            src = self;
            cargoLock.lockFile = ./Cargo.lock;
            # The tests need real shells, tmux and git; they are run before a release.
            doCheck = false;
            nativeBuildInputs = [ pkgs.installShellFiles ];
            postInstall = ''
              installShellCompletion --cmd ait --bash completions/ait.bash --zsh completions/_ait --fish completions/ait.fish
              install -Dm644 completions/ait.nu $out/share/nushell/vendor/autoload/ait.nu
              install -Dm644 completions/ait.elv $out/share/elvish/lib/ait-completions.elv
              install -Dm644 completions/ait.xsh $out/share/ait/completions/ait.xsh
              $out/bin/ait man > ait.1
              installManPage ait.1
            '';
            meta = {
              description = manifest.package.description;
              homepage = manifest.package.repository;
              license = with nixpkgs.lib.licenses; [ mit asl20 ];
              mainProgram = "ait";
            };
          };
        }
      );
    };
}
