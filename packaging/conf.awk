# SPDX-License-Identifier: GPL-3.0-or-later
# Makes a configuration file of a manual page in mdoc: each of its settings
# (".It Ic max_frozen = Ar SECONDS"), commented out, with its default.

# .Ic dry_run .  becomes: dry_run.
function plain(line,	part) {
	if (split(line, part) > 2 && part[1] == ".Xr")
		line = part[2] "(" part[3] ") " part[4]
	if (line ~ /^\./)
		sub(/^\.[A-Z][a-z] /, "", line)
	gsub(/ (Ar|Cm|Ic|Li|Ns|Pa) /, " ", line)
	gsub(/\\&/, "", line)
	return line
}

function add(words) {
	text = text (text == "" || words ~ /^[.,;:]/ ? "" : " ") words
}

function fold(words,	line, count, i, part) {
	gsub(/ +[.]/, ".", words)
	gsub(/ ;/, ";", words)
	gsub(/ :/, ":", words)
	count = split(words, part, / +/)
	line = "#"
	for (i = 1; i <= count; i++) {
		if (length(line " " part[i]) > 78) {
			print line
			line = "#"
		}
		line = line " " part[i]
	}
	print line
}

function end_setting() {
	if (name == "")
		return
	print ""
	fold(text)
	if (standard == "" && argument == "YES|NO")
		standard = "no"
	print "#" name " =" (standard == "" ? "" : " " standard)
	name = text = standard = ""
}

BEGIN {
	print "# Settings of thrash-protect: see thrash-protect.conf(5).  What is"
	print "# commented out is the default.  After a change, reload the daemon."
	print "[thrash-protect]"
}
/^\.(It|El|Ss|Sh)/ { end_setting() }
/^\.Ss Rules/ { exit }
/^\.Ss / { heading = substr($0, 5) }
/^\.It Ic [a-z_]+ = Ar / {
	if (heading != "")
		print "\n# --- " heading
	heading = ""
	name = $3
	argument = $6
	next
}
/^\.Pq default: / {
	standard = $0
	sub(/^\.Pq default: (Pa )?/, "", standard)
	sub(/ \.$/, "", standard)
	add(".")
	next
}
name != "" { add(plain($0)) }
