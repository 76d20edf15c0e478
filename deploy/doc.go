// Package deploy holds no code: its tests check the files for operators in this folder, which are of many forms.
package deploy
