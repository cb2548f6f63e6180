#!/usr/bin/env bash
# plots.sh FILE: draws the figures of service.sh, in FILE as JSON, as SVG below docs/pictures.
set -euo pipefail
cd "$(dirname "$0")/.."
file=${1:?the JSON that benches/service.sh wrote}
pictures=docs/pictures
mkdir -p "$pictures"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 - "$file" "$work" <<'P'
import json, sys
tables = json.load(open(sys.argv[1]))["tables"]
def write(name, rows):
    with open(f"{sys.argv[2]}/{name}", "w") as out:
        for label, *numbers in rows:
            out.write("\t".join([f'"{label}"'] + [str(n) for n in numbers]) + "\n")
write("ratios", [(f'{r["engine"]}: {r["what"]}', r["ratio"]) for r in tables.get("points", [])])
callers = lambda n: "1 caller" if n == 1 else f"{n} callers"
write("rates", [(f'key and permission, Postgres, {callers(r["callers"])}', r["ours"], r["raw"], r["promised"], r["aim"]) for r in tables.get("keys", [])]
    + [(f'{r["what"]}, SQLite, {callers(r["callers"])}', r["ours"], r["raw"], r["promised"], r["aim"]) for r in tables.get("requests", [])])
questions = [r for r in tables.get("questions", []) if r["duckdb"] and r["postgres"]]
write("questions", [(r["what"], r["duckdb"], r["duckdb_raw"], r["postgres"], r["kept"]) for r in questions])
write("times", [(r["what"], r["times"]) for r in questions])
P

# draw NAME HEIGHT: the rest of the plot is on stdin. Bars lie, so that their names can be read.
draw() {
  # Of a run of some measures alone there is nothing to draw of the others.
  [ -s "$work/$1" ] || {
    cat >/dev/null
    return
  }
  gnuplot - <<G
set terminal svg size 900,$2 font "sans-serif,13" background "#ffffff"
set output "$pictures/$1.svg"
set style fill solid 0.85 noborder
set border 1
set tics nomirror scale 0.5
set grid xtics lc rgb "#dddddd" lw 1
set lmargin 42
set rmargin 8
set bmargin 4
set tmargin 5
set datafile separator "\t"
ours = "#1f6f8b"; raw = "#c9b27c"; other = "#a0a8ae"; promised = "#4b8f4b"; aim = "#b03a2e"
n = int(system("wc -l < $work/$1"))
set yrange [n-0.4:-0.6]
$(cat)
G
}

draw ratios 480 <<G
set title "Time taken, as a multiple of the raw driver's"
set xlabel "ours / driver"
set xrange [0:*]
set arrow from 1.25,graph 0 to 1.25,graph 1 nohead dt 2 lw 2 lc rgb aim
set label "aim 1.25" at 1.25,graph 1.02 tc rgb aim center
unset key
plot "$work/ratios" using (\$2/2):0:(\$2/2):(0.32):ytic(1) with boxxy lc rgb ours
G

draw rates 520 <<G
set tmargin 6
set logscale x
set xlabel "requests a second, whole: key, permission and what is asked for"
set xrange [100:20000<*]
set key tmargin center horizontal samplen 2
plot "$work/rates" using 2:0:(100.0):2:(\$0-0.3):(\$0) :ytic(1) with boxxy lc rgb ours title "Trimaran", \
  "" using 3:0:(100.0):3:(\$0):(\$0+0.3) with boxxy lc rgb raw title "driver, the same statements", \
  "" using 4:(\$0-0.38):(0):(0.76) with vectors nohead lw 3 lc rgb promised title "promised", \
  "" using 5:(\$0-0.38):(0):(0.76) with vectors nohead lw 3 lc rgb aim title "aim"
G

draw questions 700 <<G
set tmargin 6
set logscale x
set xlabel "answers a second about the same pieces"
set xrange [0.01:*]
set key tmargin center horizontal samplen 2
set arrow from 10000,graph 0 to 10000,graph 1 nohead dt 2 lw 2 lc rgb promised
plot "$work/questions" using 5:0:(0.01):5:(\$0-0.4):(\$0-0.2) :ytic(1) with boxxy lc rgb promised title "kept", \
  "" using 2:0:(0.01):2:(\$0-0.2):(\$0) with boxxy lc rgb ours title "DuckDB, computed", \
  "" using 3:0:(0.01):3:(\$0):(\$0+0.2) with boxxy lc rgb raw title "duckdb crate", \
  "" using 4:0:(0.01):4:(\$0+0.2):(\$0+0.4) with boxxy lc rgb other title "Postgres, computed", \
  NaN with lines dt 2 lw 2 lc rgb promised title "promised, kept"
G

draw times 480 <<G
set title "DuckDB's answers a second, as a multiple of Postgres's"
set xlabel "DuckDB / Postgres"
set xrange [0:*]
set object rectangle from 3,graph 0 to 5,graph 1 behind fc rgb "#dfeedd" fs solid 1 noborder
set label "promised 3 to 5" at 4,graph 1.02 tc rgb promised center
unset key
plot "$work/times" using (\$2/2):0:(\$2/2):(0.32):ytic(1) with boxxy lc rgb ours
G
