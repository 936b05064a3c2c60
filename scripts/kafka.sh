#!/usr/bin/env bash
# Fetches Apache Kafka, for the tests and the benchmarks, to the user's cache folder. Does nothing
# when it is there, or when KAFKA_HOME names an installation.
#   PENSTOCK_REQUIRE=all    fails where Kafka cannot be had; otherwise its tests are skipped
set -euo pipefail
cd "$(dirname "$0")/kafka"
version=$(sed -n 's:.*<kafka\.version>\(.*\)</kafka\.version>.*:\1:p' pom.xml)
kept=${XDG_CACHE_HOME:-$HOME/.cache}/penstock/kafka-$version

without_kafka() {
  echo "$1" >&2
  if [ "${PENSTOCK_REQUIRE:-}" = all ]; then
    echo "PENSTOCK_REQUIRE=all: nothing may be skipped." >&2
    exit 1
  fi
  echo "What needs a real Kafka is skipped." >&2
  exit 0
}

command -v "${JAVA_HOME:+$JAVA_HOME/bin/}java" >/dev/null ||
  without_kafka "There is no java: install a Java runtime, version 17 or newer (on Debian and Ubuntu: openjdk-17-jre-headless)."

if [ -n "${KAFKA_HOME:-}" ]; then
  compgen -G "$KAFKA_HOME/libs/kafka_2.1*.jar" >/dev/null ||
    without_kafka "KAFKA_HOME is $KAFKA_HOME, and no Kafka is in its folder libs: name the folder of an installation, or unset it."
  exit 0
fi
[ ! -d "$kept/libs" ] || exit 0

command -v mvn >/dev/null ||
  without_kafka "There is no mvn, with which Apache Kafka is fetched: install Maven, or name an installation of Kafka by KAFKA_HOME."

echo "Fetching Apache Kafka $version, once: 43 MB, some seconds to a minute, to $kept"
mkdir -p "$kept"
# Fetched beside its place and renamed: whoever finds the folder finds all of it.
fetched=$(mktemp -d "$kept/fetching.XXXXXX")
trap 'rm -rf "$fetched"' EXIT
mvn --batch-mode --no-transfer-progress dependency:copy-dependencies \
  -DincludeScope=runtime -DoutputDirectory="$fetched/libs" >"$fetched/log" 2>&1 || {
  grep -m 5 ERROR "$fetched/log" >&2 || true
  without_kafka "Maven could not fetch Apache Kafka. Is its repository reachable?"
}
# Another run may have been quicker; a folder that is not empty is not replaced.
mv "$fetched/libs" "$kept/" 2>/dev/null || [ -d "$kept/libs" ]
