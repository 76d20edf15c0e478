// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// prefix is the name prefix of attack tests.
const prefix = "TestAttack"

// find returns all attacks below a directory, sorted by package and name: those with the prefix, and the listed ones, which
// must exist.
func find(root string, named []attack) ([]attack, error) {
	tests := map[[2]string]string{} // comment by package and name
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == "testdata", entry.IsDir() && path != root && strings.HasPrefix(entry.Name(), "."):
			return filepath.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		directory, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		for _, declaration := range file.Decls {
			if test, is := declaration.(*ast.FuncDecl); is && test.Recv == nil && strings.HasPrefix(test.Name.Name, "Test") {
				tests[[2]string{"./" + filepath.ToSlash(directory), test.Name.Name}] = firstSentence(test.Name.Name, test.Doc.Text())
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var all []attack
	for _, a := range named {
		if _, found := tests[[2]string{a.pkg, a.test}]; !found {
			return nil, fmt.Errorf("%s has no %s any more: correct tests/attack/list.go", a.pkg, a.test)
		}
		all = append(all, a)
	}
	for test, tried := range tests {
		if strings.HasPrefix(test[1], prefix) {
			all = append(all, attack{test[0], test[1], tried})
		}
	}
	slices.SortFunc(all, func(a, b attack) int { return cmp.Or(cmp.Compare(a.pkg, b.pkg), cmp.Compare(a.test, b.test)) })
	return slices.Compact(all), nil
}

// firstSentence returns the first sentence of a test's comment, without the test's name.
func firstSentence(name, comment string) string {
	text := strings.Join(strings.Fields(comment), " ")
	text = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(text, name), ":"))
	if sentence, _, found := strings.Cut(text, ". "); found {
		text = sentence
	}
	return cmp.Or(strings.TrimSuffix(text, "."), name)
}
