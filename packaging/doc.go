// Package packaging holds no code: its tests install, upgrade and remove the packages that nfpm.yaml describes.
package packaging
