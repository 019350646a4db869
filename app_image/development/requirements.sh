# shellcheck shell=bash
# What `app_image/dev` stands on: Docker, compose and the images of others. It is read by that script, also in macOS' bash 3.2.

places=(/usr/bin/docker /usr/local/bin/docker /opt/homebrew/bin/docker /snap/bin/docker)
hub=${DEV_HUB:-registry-1.docker.io}

find_docker() { # sets `docker` to the first client whose engine answers
  local client words told="" seen=" "
  while IFS= read -r client; do
    case $seen in *" $client "*) continue ;; esac
    seen="$seen$client "
    if [ ! -x "$client" ]; then continue; fi
    if words=$("$client" version --format '{{.Server.Version}}' 2>&1); then
      docker=$client
      return
    fi
    told="$told
    $client: ${words##*$'\n'}"
  done < <(type -ap docker || true; printf '%s\n' "${places[@]}")
  if [ -z "$told" ]; then
    fail "There is no docker command on this machine." \
      "Install Docker: https://docs.docker.com/get-started/get-docker/ (as root on Debian or Ubuntu: make docker-engine)."
  fi
  fail "No Docker engine answers:$told" \
    "Start it (Docker Desktop, or: sudo systemctl start docker). If permission is denied: sudo usermod -aG docker $(id -un), then log in again."
}

# shellcheck disable=SC2034 # app_image/dev uses it
find_compose() { # sets `compose`
  local version
  if "$docker" compose version >/dev/null 2>&1; then
    compose=("$docker" compose)
    return
  fi
  if ! version=$(docker-compose version --short 2>/dev/null); then
    fail "Docker is here, but docker compose is not." \
      "Install it: on Debian or Ubuntu, apt-get install docker-compose; elsewhere https://docs.docker.com/compose/install/."
  fi
  case $version in
    1.? | 1.?.* | 1.1?.* | 1.2[0-8].*)
      fail "docker-compose $version is too old: 1.29 or newer is needed. See https://docs.docker.com/compose/install/." ;;
  esac
  compose=(docker-compose)
}

image_is_here() { "$docker" image inspect "$1" >/dev/null 2>&1; }

hub_answers() { # within three seconds
  local asking
  (exec 3<>"/dev/tcp/$hub/443") 2>/dev/null &
  asking=$!
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
    if ! kill -0 "$asking" 2>/dev/null; then
      wait "$asking"
      return
    fi
    sleep 0.2
  done
  kill "$asking" 2>/dev/null || true
  return 1
}

provide() { # VARIABLE OFFICIAL STAND-IN: sets and exports VARIABLE to an image that is here
  local chosen=${!1:-} given=${!1:-}
  chosen=${chosen:-$2}
  if ! image_is_here "$chosen"; then
    if [ -z "$given" ] && image_is_here "$3" && ! hub_answers; then
      say "Docker Hub cannot be reached: $3 stands in for $2."
      chosen=$3
    else
      say "Pulling $chosen (once)"
      quietly "$docker" pull --quiet "$chosen" || fail "$chosen cannot be pulled, as said above." \
        "Let the engine reach its registry, or set $1 to an image that it has. As root on Debian, stand-ins can be made: python3 -m rehearsal base-images (docs/development.md)."
    fi
  fi
  export "$1=$chosen"
}
