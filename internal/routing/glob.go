package routing

import "strings"

const anyRun = "*"

// glob is a pattern cut at its stars: a name matches if it begins with the first part, ends with the last and has the
// others between them in their order. Without a star it matches itself.
type glob struct {
	event       string
	first, last string
	between     []string
	// literals is the number of characters that are not stars.
	literals int
	// decision and entry are those of a route.
	decision Decision
	entry    *Entry
}

func isGlob(event string) bool { return strings.Contains(event, anyRun) }

// Matches tells whether a name is one that a pattern names: a star in the pattern stands for any characters, also none. It
// is meant for answers that are remembered, as a table remembers its own.
func Matches(pattern, name string) bool {
	g := newGlob(pattern)
	return g.matches(name)
}

func newGlob(event string) glob {
	parts := strings.Split(event, anyRun)
	end := len(parts) - 1
	g := glob{event: event, first: parts[0], last: parts[end], literals: len(event) - end*len(anyRun)}
	if end > 0 {
		g.between = parts[1:end]
	}
	return g
}

func (g *glob) matches(name string) bool {
	if !isGlob(g.event) {
		return name == g.event
	}
	rest, ok := strings.CutPrefix(name, g.first)
	if !ok {
		return false
	}
	for _, part := range g.between {
		// The first place is as good as any other: it leaves the most for what follows.
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, g.last)
}

// covers tells whether the glob matches all that another name or glob matches. A star of the other is taken for a
// character that no literal of this glob can be, so that only a star can match it: then it matches whatever may stand
// there.
func (g *glob) covers(event string) bool {
	return g.matches(strings.ReplaceAll(event, anyRun, "\x00"))
}
