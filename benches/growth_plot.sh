#!/usr/bin/env bash
# growth_plot.sh FILE: draws what a row costs as tables grow, from the tab-separated figures of migrate.sh (source, rows,
# copy phase and whole run in microseconds a row), as SVG below docs/pictures.
set -euo pipefail
cd "$(dirname "$0")/.."
file=${1:?the figures that benches/migrate.sh wrote}
gnuplot - <<G
set terminal svg size 900,420 font "sans-serif,13" background "#ffffff"
set output "docs/pictures/growth.svg"
set border 3
set tics nomirror scale 0.5
set grid ytics lc rgb "#dddddd" lw 1
set logscale x
set format x "%.0s %c"
set xlabel "rows of the table"
set ylabel "microseconds a row"
set yrange [0:*]
set rmargin 4
set key top center horizontal samplen 2 opaque
set datafile separator "\t"
plot "< grep ^duckdb '$file'" using 2:4 with linespoints lw 2 pt 7 lc rgb "#1f6f8b" title "DuckDB, whole run", \
  "" using 2:3 with linespoints lw 2 pt 6 dt 2 lc rgb "#1f6f8b" title "copy", \
  "< grep ^sqlite '$file'" using 2:4 with linespoints lw 2 pt 5 lc rgb "#c08a2b" title "SQLite, whole run", \
  "" using 2:3 with linespoints lw 2 pt 4 dt 2 lc rgb "#c08a2b" title "copy"
G
