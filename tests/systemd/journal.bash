# What stands in the journal, and what goes to standard error where there is none. Sourced by `run`.

entries() { inside journalctl -u artificio --no-pager "$@"; }
# Of the last entry about a query: field QUERY NAME
field() { entries "QUERY=$PLACE/query/$1" -o cat --output-fields="$2" | tail -1; }

check_fields() {
    local query file=$PLACE/answer/result_first.png ms
    query=$(find "$TREE$PLACE/query" -name 'first.*' -printf '%f')
    [ "$(field "$query" FILE)" = $file ] && [ "$(field "$query" STATUS)" = ok ] && [ -n "$(field "$query" MODEL)" ]
    ms=$(field "$query" MS)
    [ "$ms" -ge 1 ] && [ "$(field "$query" PRIORITY)" = 6 ] && [ "$(field "$query" _TRANSPORT)" = journal ]
    [ "$(entries "FILE=$file" -o cat)" = "$PLACE/query/$query answered in $ms ms: $file" ]
    echo "QUERY=$PLACE/query/$query: FILE, STATUS, MODEL, MS=$ms, priority 6"
}

check_warnings() {
    local broken=$PLACE/db/img_inventory_raw/broken.jpg
    inside sh -c "echo 'not a picture' | tee $PLACE/query/unreadable.jpg >$broken"
    await 60 answered unreadable
    await 60 eval '[ "$(field unreadable.jpg STATUS)" = error ]'
    [ "$(field unreadable.jpg PRIORITY)" = 4 ]
    await 60 eval '[ "$(entries "FILE=$broken" PRIORITY=4 -o cat | wc -l)" = 1 ]'
    inside rm $broken $PLACE/query/unreadable.jpg
    # The mistake is shown with the line it is in: several lines, one entry.
    inside sed -i 's/^results = .*/results = 300/' $SETTINGS
    await 60 eval 'entries PRIORITY=4 -o json | grep "results = 300" | grep -F "\n    " >/dev/null'
    inside sed -i 's/^results = .*/results = 5/' $SETTINGS
    await 60 status_has '"problem": null'
    echo "warnings have priority 4; one of several lines is one entry"
}

# Standard error is a file here, whatever the environment says of a journal.
check_standard_error() {
    inside sh -c 'rm -rf /tmp/elsewhere; JOURNAL_STREAM=8:1 artificio --root /tmp/elsewhere run 2>/tmp/elsewhere.log & started=$!
        for _ in $(seq 600); do grep -q "ready: watching" /tmp/elsewhere.log && break; sleep 0.1; done; kill $started; wait $started'
    inside grep -E '^[0-9: -]+ ready: watching' /tmp/elsewhere.log
    echo "without a journal, lines with their time go to standard error"
}
