bash getopt.sh -v -v --name='x y' a 'b c' -- -z; bash getopt.sh --bad; echo "rc $?"; bash getopt.sh -n; echo "rc $?"; bash getopt.sh -h
retry() { local n=0 max=$1; shift; until "$@"; do n=$((n+1)); if ((n>=max)); then echo "failed after $n: $*" >&2; return 1; fi; echo "retry $n"; done; }
count=0; flaky() { count=$((count+1)); [ $count -ge 3 ]; }
retry 5 flaky; echo "ok $count"; retry 2 false || echo "gave up $?"
declare -A ports=([http]=80 [https]=443 [dns]=53)
for p in $(printf '%s\n' "${!ports[@]}" | sort); do
cat <<YAML
apiVersion: v1
kind: Service
metadata:
  name: ${p,,}-svc
  labels: {app: "$p", tier: '${p^^}'}
spec:
  ports:
  - port: ${ports[$p]}
    targetPort: $(( ${ports[$p]} + 8000 ))
---
YAML
done
kubectl() { cat <<'OUT'
NAME                     READY   STATUS             RESTARTS   AGE
web-6d4cf56db6-abcde     1/1     Running            0          5m
web-6d4cf56db6-fghij     0/1     CrashLoopBackOff   12         5m
db-0                     1/1     Running            1          3d
OUT
}
kubectl get pods | awk 'NR>1 && $3!="Running"{print $1}' | while read -r pod; do echo "bad pod: $pod"; done
kubectl get pods | tail -n +2 | while read -r name ready status restarts age; do [[ $ready =~ ^([0-9]+)/([0-9]+)$ ]] && echo "$name ${BASH_REMATCH[1]} of ${BASH_REMATCH[2]} $status"; done
mapfile -t running < <(kubectl get pods | grep Running | cut -d' ' -f1); echo "${#running[@]}: ${running[*]}"
log() { local level=$1; shift; printf '[%-5s] %s\n' "$level" "$*" >&2; }
trap 'log INFO "cleaning up $?"; rm -f "$tmp"' EXIT
tmp=$(mktemp); echo data > "$tmp"; log WARN "temp has $(wc -l < "$tmp") line"
while IFS='=' read -r key value; do [[ -z $key || $key == \#* ]] && continue; declare "cfg_$key=$value"; done <<'CONF'
# comment
host=example.com
port=8080

path=/a=b
CONF
echo "$cfg_host:$cfg_port$cfg_path"; for v in ${!cfg_@}; do echo "$v=${!v}"; done
IFS=, read -ra parts <<< "a,b,,d"; echo "${#parts[@]} <${parts[2]}>"
sum=0; for i in {1..10}; do (( i % 2 )) && continue; (( sum += i )); done; echo "sum $sum"
fact() { (( $1 <= 1 )) && { echo 1; return; }; echo $(( $1 * $(fact $(( $1 - 1 ))) )); }; fact 10
version_ge() { [ "$(printf '%s\n' "$2" "$1" | sort -V | head -n1)" = "$2" ]; }; version_ge 1.20.3 1.9.0 && echo newer
stack=(); push() { stack+=("$1"); }; pop() { echo "${stack[-1]}"; unset 'stack[-1]'; }; push a; push b; pop; echo "${stack[@]}"
s="  trim me  "; s="${s#"${s%%[![:space:]]*}"}"; s="${s%"${s##*[![:space:]]}"}"; echo "[$s]"
url=https://user:pw@host.example.com:8443/path/x?q=1#f; rest=${url#*://}; hp=${rest%%/*}; hp=${hp##*@}; echo "${url%%:*} ${hp%%:*} ${hp##*:} /${rest#*/}"
join() { local IFS=$1; shift; echo "$*"; }; join , a b c; join ' ' x
if ! out=$(ls /nonexistent 2>&1); then echo "ls said: ${out##*: }"; fi
exec 3< <(printf 'l1\nl2\n'); while read -r -u3 l; do echo "fd3 $l"; done; exec 3<&-
{ echo out; echo err >&2; } > >(sed 's/^/O:/') 2> >(sed 's/^/E:/' >&2); wait
printf '%s\n' {a..c}{1..2} | paste -sd' '
case $(uname -s) in Linux) echo linux ;; *) echo other ;; esac
(set -e; false || true; echo reached; false; echo not) ; echo "sub $?"
f() { local -n arr=$1; arr+=(z); }; q=(x y); f q; echo "${q[@]}" "${#q[@]}"
[[ "2024-01-15" =~ ^([0-9]{4})-([0-9]{2})-([0-9]{2})$ ]] && echo "${BASH_REMATCH[@]:1}"
echo "$(echo "nested $(echo "deep \"quotes\" $((1+1))")")"
while read -r a b; do echo "$b $a"; done < <(echo "1 2"; echo "3 4") | sort
printf '%-10s|%5d|%05.1f|%x\n' name 42 3.14159 255
x=5; ((x**=2)); echo $((x > 20 ? x : 0)) $(( 0x1f & ~0x3 )) $((2#1010 | 8#17))
arr=(10 9 2 33); IFS=$'\n' sorted=($(sort -n <<< "${arr[*]}")); unset IFS; echo "${sorted[@]}"
select_all() { printf '%s\n' "$@" | grep -c .; }; select_all a b c
echo "done $SECONDS" | sed 's/[0-9]*$//'
