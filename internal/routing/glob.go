package routing

import "strings"

const anyRun = "*"

// glob is a pattern cut at its stars: a name matches if it begins with the first part, ends with the last and has the
// others between them in their order.
type glob struct {
	first, last string
	between     []string
	// literals is the number of characters that are not stars.
	literals int
	decision Decision
}

func isGlob(event string) bool { return strings.Contains(event, anyRun) }

func newGlob(event string) glob {
	parts := strings.Split(event, anyRun)
	end := len(parts) - 1
	return glob{
		first:    parts[0],
		last:     parts[end],
		between:  parts[1:end],
		literals: len(event) - end*len(anyRun),
	}
}

func (g *glob) matches(name string) bool {
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
