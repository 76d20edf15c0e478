//go:build !unix

package taskerevents

// fileLimit is not known here.
func fileLimit() int { return 0 }
