// Package csvtext writes the cells of CSV files: texts that a spreadsheet does not run, numbers and times.
package csvtext

//go:generate go tool schemagen -m package
