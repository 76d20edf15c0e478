// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	"github.com/tasker-otel/otelcol-tasker/internal/collectorconfig"
	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter"
)

// loadRouter reads the settings of a router from a collector's configuration. Without files it returns the defaults. The
// error joins all mistakes.
func loadRouter(ctx context.Context, files []string, name string) (*eventrouter.Config, error) {
	factory := eventrouter.NewFactory()
	cfg := factory.CreateDefaultConfig().(*eventrouter.Config)
	if len(files) == 0 {
		return cfg, nil
	}
	conf, err := collectorconfig.Load(ctx, files)
	if err != nil {
		return nil, err
	}
	router, err := chooseRouter(collectorconfig.New(conf).OfType(collectorconfig.Processors, factory.Type().String()), name)
	if err != nil {
		return nil, err
	}
	return cfg, router.UnmarshalValid(cfg)
}

// chooseRouter returns the named router, or the only one.
func chooseRouter(routers []collectorconfig.Component, name string) (router collectorconfig.Component, err error) {
	for _, r := range routers {
		if r.ID == name {
			return r, nil
		}
	}
	switch {
	case name != "":
		return router, usageError{configerr.New("--router", name, "is not among the processors", "use one of "+collectorconfig.IDs(routers))}
	case len(routers) == 0:
		return router, fmt.Errorf("the configuration has no processor %s", eventrouter.NewFactory().Type())
	case len(routers) > 1:
		return router, usageError{fmt.Errorf("the configuration has several routers: choose one of %s with --router", collectorconfig.IDs(routers))}
	}
	return routers[0], nil
}
