# A menu over files, a small state machine, a queue of workers, and logs turned into tables.
PS3='what next? '
menu() {
  select choice in "list files" "show date format" quit; do
    case $REPLY in
      1) ls -1 ;;
      2) printf '%(%Y)T\n' 0 ;;
      q | quit | 3) echo bye; break ;;
      *) echo "no '$REPLY'" ;;
    esac
  done
}
mkdir -p box; cd box || exit 1
touch 'a b' c.txt; menu <<< $'1\n9\n\n2\nq'
state=start
while :; do
  case $state in
    start) state=middle ;;&
    start | middle) echo "in ${state}"; [ "$state" = middle ] && state=end ;;
    end) echo "at the end"; break ;;
  esac
done
work() { local id=$1 secs=$2; sleep "$secs"; echo "worker $id"; return "$id"; }
pids=()
for i in 1 2 3; do work "$i" "0.$i" & pids+=($!); done
for i in "${!pids[@]}"; do wait "${pids[i]}"; echo "job $i gave $?"; done
cat > access.log <<'LOG'
10.0.0.1 - - [01/Mar/2024:00:00:01] "GET /index.html HTTP/1.1" 200 512
10.0.0.2 - - [01/Mar/2024:00:00:02] "GET /missing HTTP/1.1" 404 19
10.0.0.1 - - [01/Mar/2024:00:00:05] "POST /api?q=a&b HTTP/1.1" 500 0
10.0.0.3 - bob [01/Mar/2024:00:01:00] "GET / HTTP/1.1" 200 1024
LOG
declare -A hits bytes
re='^([0-9.]+) .* "([A-Z]+) ([^ ]+) [^"]*" ([0-9]{3}) ([0-9]+)$'
while IFS= read -r line; do
  [[ $line =~ $re ]] || { echo "bad: $line"; continue; }
  ip=${BASH_REMATCH[1]} code=${BASH_REMATCH[4]}
  (( hits[$ip]++, bytes[$ip] += BASH_REMATCH[5] ))
  printf '%-4s %-15.15s %s\n' "${BASH_REMATCH[2]}" "${BASH_REMATCH[3]}" "$code"
done < access.log
for ip in $(printf '%s\n' "${!hits[@]}" | sort -t. -k4n); do printf '%s\t%d\t%d\n' "$ip" "${hits[$ip]}" "${bytes[$ip]}"; done
awk '{ n[$(NF-1)]++ } END { for (c in n) print c, n[c] }' access.log | sort
exec 5> report; echo one >&5; { echo two; echo three; } >&5; exec 5>&-; cat -n report
lock() { if ( set -o noclobber; echo $$ > lock ) 2>/dev/null; then echo locked; else echo busy; fi; }
lock; lock; rm lock
countdown() { local n; for ((n = $1; n > 0; n--)); do printf '%d ' "$n"; done; echo go; }; countdown 3
trap 'echo "caught TERM"; trap - TERM' TERM; kill -TERM $$; echo after
timeout 0.1 sleep 5; echo "timeout gave $?"
x=$(printf 'line\n\n\n'; printf x); echo "${#x}"
printf '%s\0' 'a b' 'c
d' | while IFS= read -r -d '' item; do printf '<%s>' "$item"; done; echo
bc_() { echo $(( $1 )); }; bc_ '2 * (3 + 4) % 5'
paths=/usr/bin:/bin::/opt/x; (IFS=:; for p in $paths; do echo "[${p:-.}]"; done)
eval "$(printf 'v%d=%d;' 1 10 2 20)"; echo $((v1 + v2))
unset -v nope; echo "${nope-unset} ${nope:+set} ${#nope}"
cd ..; rm -r box; echo "$?"
