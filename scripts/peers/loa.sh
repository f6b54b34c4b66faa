#!/bin/sh
# loa as a peer of a bench that compares players from outside: each item at its instant, in a session of its own week.
#
# Copy it into the bench's peers/. LOA names the program.
. "$(dirname "$0")/common.sh"

# The station: one session around all items, each of them a hard start.
make_station() {
    mkdir -p "$dir/station/schedule"
    cat >"$dir/station/schedule/station.toml" <<STATION
name = "bench"
time_zone = "Etc/UTC"

[[output]]
id = "line"
device = "pulseaudio:$(own_sink)"
STATION
    first=$(entries | head -n 1 | cut -f 1 | cut -d . -f 1)
    last=$(entries | tail -n 1 | awk -F '\t' '{ print int($1 + $5) + 2 }')
    {
        echo '[[session]]'
        echo 'id = "bench"'
        echo 'title = "bench"'
        echo 'days = ["mon-sun"]'
        date -u -d "@$first" '+from = %H:%M:%S'
        date -u -d "@$last" '+to = %H:%M:%S'
        entries | while IFS="$(printf '\t')" read -r at _ item file _ _; do
            printf '\n[[session.slot]]\ntitle = "%s"\nstart = "hard"\n' "$item"
            date -u -d "@$at" '+at = %H:%M:%S'
            printf 'play = { file = "%s" }\n' "$(basename "$file")"
        done
    } >"$dir/station/schedule/week.toml"
    entries | cut -f 4 | sort -u | while read -r file; do
        "$LOA" --station "$dir/station" segment add "$file" --by bench >>"$dir/out.log" 2>&1
        "$LOA" --station "$dir/station" segment approve "$(basename "$file")" --by approver >>"$dir/out.log" 2>&1
    done
}

case $action in
start)
    : "${LOA:?names the program}"
    . "$run/sink/env.sh"
    make_station
    resident "$LOA" --station "$dir/station" serve --listen 127.0.0.1:0
    ;;
stop) stop_residents ;;
esac
