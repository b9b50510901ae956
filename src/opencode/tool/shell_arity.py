"""How many words of a command line say what it does; the rest are its arguments."""

from collections.abc import Sequence

# Two words: tools with subcommands, and programs whose first argument is another program.
_TWO = """
ansible apk apt apt-get asdf bazel biome brew buf bun bundle cabal cargo cf choco circleci cmake
composer conan conda consul cosign deno direnv dnf docker dotnet dpkg eb elixir eksctl
fastlane firebase flutter flyctl fly forge gem ghcup git gitea glab go gradle gradlew grunt gulp hatch helm heroku hg
hugo istioctl jekyll jj journalctl just k3d k9s kind kubectl kustomize launchctl lerna lein lerna
localstack make mage mamba maven meson minikube mise mix mkdocs multipass mvn nest netlify next
ng ninja nix node nomad npm npx nuget nvm nx oc ollama openssl opencode pacman packer pdm perl php pip pip3 pipenv
pipx playwright pm2 pnpm podman poetry port pre-commit prisma pulumi python python3 rails rake rbenv
rebar3 ruby ruff rush rustup rye sam sbt scoop serverless skaffold snap sops stack
sudo supabase svn swift systemctl tar task terraform terragrunt tofu tox trivy turbo ufw uv uvx vagrant
vault vercel vite volta wasm-pack wrangler xargs xcodebuild yarn yum zig
""".split()  # noqa: SIM905 (a table that fits the page)

# Three words: subcommands that have subcommands, or that run a named script.
_THREE = """
aws|az|doctl|gcloud|gh|gsutil|ip|linode-cli|oci|bun add|bun pm|bun run|bun x|cargo add
cargo xtask|composer run|conda env|conda run|deno task|docker builder|docker buildx|docker compose|docker container
docker context|docker image|docker network|docker system|docker volume|dotnet add|dotnet tool|flutter pub|git bisect
git config|git lfs|git notes|git reflog|git remote|git stash|git submodule|git subtree|git worktree
glab ci|glab mr|go mod|go tool|helm repo|just run|kubectl config|kubectl create|kubectl get
kubectl rollout|mix deps|mix ecto|mvn exec|nix flake|nix profile|npm audit|npm cache|npm config|npm exec|npm init
npm run|nx run|openssl x509|pdm run|php artisan|pip cache|pipenv run|pipx run|pnpm dlx|pnpm exec|pnpm run
podman compose|podman container|podman image|podman network|podman volume|poetry run|poetry self|pulumi stack
python -m|python3 -m|rails db|ruff rule|rustup component|rustup target|rustup toolchain|rye run|supabase db
swift package|swift run|systemctl --user|terraform state|terraform workspace|turbo run|uv add|uv pip|uv run|uv tool
vault auth|vault kv|vercel env|wrangler d1|wrangler kv|wrangler r2|yarn dlx|yarn run|yarn workspace
""".replace("\n", "|").split("|")

_ARITY = {**dict.fromkeys(_TWO, 2), **{prefix: 3 for prefix in _THREE if prefix}}


def command_prefix(words: Sequence[str]) -> list[str]:
    """The leading words that name the command: ``npm run dev`` of ``npm run dev --port 1``; one word when unknown."""
    for length in range(min(len(words), 3), 0, -1):
        arity = _ARITY.get(" ".join(words[:length]))
        if arity is not None:
            return list(words[:arity])
    return list(words[:1])
