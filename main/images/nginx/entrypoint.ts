// What the image runs before nginx: our own scripts with the behaviour and the words of the published image's.

/** docker-entrypoint.sh */
export const ENTRYPOINT = `#!/bin/sh
# Runs what is in /docker-entrypoint.d, and then the command.

set -e

say() {
    if [ -z "$NGINX_ENTRYPOINT_QUIET_LOGS" ]; then
        echo "$@"
    fi
}

if [ "$1" = "nginx" ] || [ "$1" = "nginx-debug" ]; then
    if [ -n "$(ls -A /docker-entrypoint.d/ 2>/dev/null)" ]; then
        say "$0: /docker-entrypoint.d/ is not empty, will attempt to perform configuration"
        say "$0: Looking for shell scripts in /docker-entrypoint.d/"
        for f in /docker-entrypoint.d/*; do
            case "$f" in
                *.envsh)
                    if [ -x "$f" ]; then
                        say "$0: Sourcing $f"
                        . "$f"
                    else
                        say "$0: Ignoring $f, not executable"
                    fi
                    ;;
                *.sh)
                    if [ -x "$f" ]; then
                        say "$0: Launching $f"
                        "$f"
                    else
                        say "$0: Ignoring $f, not executable"
                    fi
                    ;;
                *) say "$0: Ignoring $f" ;;
            esac
        done
        say "$0: Configuration complete; ready for start up"
    else
        say "$0: No files found in /docker-entrypoint.d/, skipping configuration"
    fi
fi

exec "$@"
`;

export const IPV6_SCRIPT = `#!/bin/sh
# There is no IPv6 in this world: says so and leaves the configuration alone.
if [ ! -f "/proc/net/if_inet6" ]; then
    [ -n "$NGINX_ENTRYPOINT_QUIET_LOGS" ] || echo "10-listen-on-ipv6-by-default.sh: info: ipv6 not available"
fi
`;

/** Fills templates with the environment. */
export const ENVSUBST_SCRIPT = `#!/bin/sh
# Makes configuration files of the templates, with the environment's values in the place of their names.

set -e

me=$(basename "$0")
templates="\${NGINX_ENVSUBST_TEMPLATE_DIR:-/etc/nginx/templates}"
suffix="\${NGINX_ENVSUBST_TEMPLATE_SUFFIX:-.template}"
output="\${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}"
filter="\${NGINX_ENVSUBST_FILTER:-}"

say() {
    if [ -z "$NGINX_ENTRYPOINT_QUIET_LOGS" ]; then
        echo "$@"
    fi
}

[ -d "$templates" ] || exit 0
if [ ! -w "$output" ]; then
    say "$me: ERROR: $templates exists, but $output is not writable"
    exit 0
fi
names=$(env | cut -d= -f1 | grep -E "$filter" | sed 's/.*/\${&}/' | tr '\\n' ' ')
for template in $(find "$templates" -follow -type f -name "*$suffix" | sort); do
    relative="\${template#$templates/}"
    file="$output/\${relative%$suffix}"
    mkdir -p "$(dirname "$file")"
    say "$me: Running envsubst on $template to $file"
    envsubst "$names" < "$template" > "$file"
done
exit 0
`;

/** As many workers as there are processors, when asked for. */
export const TUNE_SCRIPT = `#!/bin/sh
# Sets worker_processes to the number of processors, if NGINX_ENTRYPOINT_WORKER_PROCESSES_AUTOTUNE is set.
[ -n "$NGINX_ENTRYPOINT_WORKER_PROCESSES_AUTOTUNE" ] || exit 0
[ -w /etc/nginx/nginx.conf ] || { echo "$(basename "$0"): error: can not modify /etc/nginx/nginx.conf (read-only file system?)"; exit 0; }
sed -i "s/^worker_processes.*/worker_processes $(nproc);/" /etc/nginx/nginx.conf
`;

/** The name servers of /etc/resolv.conf for a \`resolver\` in templates, when asked for. */
export const RESOLVERS_SCRIPT = `#!/bin/sh
# Puts the name servers into NGINX_LOCAL_RESOLVERS, if NGINX_ENTRYPOINT_LOCAL_RESOLVERS is set.
if [ -n "$NGINX_ENTRYPOINT_LOCAL_RESOLVERS" ]; then
    NGINX_LOCAL_RESOLVERS=$(awk '$1 == "nameserver" { printf "%s%s", separator, $2; separator = " " }' /etc/resolv.conf)
    export NGINX_LOCAL_RESOLVERS
fi
`;
