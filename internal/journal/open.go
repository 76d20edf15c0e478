// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
)

// Owner is the component whose state a journal keeps.
type Owner struct {
	Kind component.Kind
	ID   component.ID
	// Name tells apart several journals of one component; usually empty.
	Name string
}

// Open takes a client of the storage extension and reads what is there. Errors name the setting storage. What of the store
// can not be read is the extension's to set aside: our file_storage does.
func Open(ctx context.Context, host component.Host, id component.ID, owner Owner, log *zap.Logger) (*Journal, error) {
	found, ok := host.GetExtensions()[id]
	if !ok {
		return nil, fmt.Errorf("'storage' is %q: there is no such extension; define it under extensions and name it in service::extensions", id)
	}
	extension, ok := found.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("'storage' is %q: that extension stores nothing; name one that does, such as file_storage", id)
	}
	client, err := extension.GetClient(ctx, owner.Kind, owner.ID, owner.Name)
	if err != nil {
		return nil, fmt.Errorf("open the storage %q: %w", id, err)
	}
	j, err := attach(ctx, client, log)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the storage %q: %w", id, err), client.Close(ctx))
	}
	return j, nil
}
