#!/bin/sh
# The entry of an image that runs on both tiers without Node.js: entrypoint.sh PROGRAM [ARGUMENT…]
#
# In a container the service takes the place of this script. On Lambda it needs the AWS Lambda Web
# Adapter beside it: as an extension, which Lambda starts by itself, or as a plain file, which is
# started here. Variables: docs/bootstrap.md.
set -u

fail() {
  code=$1
  shift
  echo "lambdaflex: $*" >&2
  exit "$code"
}

is_port() {
  case $1 in
    '' | *[!0-9]* | ??????*) return 1 ;;
  esac
  [ "$1" -ge 1 ] && [ "$1" -le 65535 ]
}

[ "${1-}" = "--" ] && shift
[ $# -gt 0 ] || fail 2 "usage: entrypoint.sh [--] PROGRAM [ARGUMENT...]"
command -v -- "$1" >/dev/null 2>&1 || fail 127 "cannot start \"$1\": no such program"

PORT=${AWS_LWA_PORT:-${PORT:-8080}}
is_port "$PORT" || fail 2 "the port is \"$PORT\", expected a number from 1 to 65535"
export PORT

# Servers of many workers, such as uvicorn and gunicorn, start as many as this says: one for the one
# request at a time of a Lambda environment, one for each processor of a task.
if [ -z "${WEB_CONCURRENCY:-}" ]; then
  WEB_CONCURRENCY=1
  processors=${LAMBDAFLEX_VCPU:-1}
  case ${processors%%.*} in
    '' | *[!0-9]* | ????* | 0) ;;
    *) [ -n "${AWS_LAMBDA_RUNTIME_API:-}" ] || WEB_CONCURRENCY=${processors%%.*} ;;
  esac
  export WEB_CONCURRENCY
fi

# In a container nothing stands between client and service.
[ -n "${AWS_LAMBDA_RUNTIME_API:-}" ] || exec "$@"

# The adapter knows no secrets, and a service without its own would fail in a way of its own.
[ -z "${LAMBDAFLEX_SECRETS:-}" ] || fail 2 "secrets are read when the service starts, which needs" \
  "the bootstrap of Node.js; set secretsAt to \"deploy\" for this image"

# The adapter's own defaults and old names, said explicitly, so that service and adapter agree.
AWS_LWA_PORT=$PORT
: "${AWS_LWA_READINESS_CHECK_PORT:=${READINESS_CHECK_PORT:-$PORT}}"
: "${AWS_LWA_READINESS_CHECK_PATH:=${READINESS_CHECK_PATH:-/}}"
: "${AWS_LWA_READINESS_CHECK_PROTOCOL:=${READINESS_CHECK_PROTOCOL:-http}}"
: "${AWS_LWA_READINESS_CHECK_HEALTHY_STATUS:=100-499}"
export AWS_LWA_PORT AWS_LWA_READINESS_CHECK_PORT AWS_LWA_READINESS_CHECK_PATH
export AWS_LWA_READINESS_CHECK_PROTOCOL AWS_LWA_READINESS_CHECK_HEALTHY_STATUS

# An extension is started by Lambda itself; a second one would take its invocations away.
extension=${LAMBDAFLEX_EXTENSIONS:-/opt/extensions}/lambda-adapter
if [ -e "$extension" ]; then
  [ -x "$extension" ] || fail 126 "$extension is not executable: Lambda can not start it"
  exec "$@"
fi

adapter=${LAMBDAFLEX_ADAPTER:-$(command -v lambda-adapter || echo /lambda-adapter)}
if [ ! -x "$adapter" ]; then
  fail 127 "on Lambda, but the AWS Lambda Web Adapter is neither $extension nor $adapter." \
    "Add to the Dockerfile: COPY --from=public.ecr.aws/awsguru/aws-lambda-adapter:1.0.1" \
    "/lambda-adapter /opt/extensions/lambda-adapter"
fi

# Without its adapter a service would hang until each invocation times out: they end together.
service=$$
(
  "$adapter"
  echo "lambdaflex: the adapter ended with status $?, stopping the service" >&2
  kill -TERM "$service"
) &
exec "$@"
