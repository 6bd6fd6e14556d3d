package main

import (
	"reflect"
	"testing"

	"github.com/dapr/dapr/cmd/daprd/options"
	"github.com/dapr/dapr/pkg/healthz"
	"github.com/dapr/dapr/pkg/runtime"
)

// A field that a newer Dapr adds and config does not set would leave its flag
// without effect, silently.
func TestConfigHandsOnEveryOption(t *testing.T) {
	opts, err := options.New([]string{"--app-id", "test"})
	if err != nil {
		t.Fatal(err)
	}
	in := reflect.ValueOf(opts).Elem()
	for i := range in.NumField() {
		switch field := in.Field(i); field.Kind() {
		case reflect.String:
			field.SetString("set")
		case reflect.Bool:
			field.SetBool(true)
		case reflect.Int, reflect.Int64:
			field.SetInt(1)
		case reflect.Uint:
			field.SetUint(1)
		case reflect.Slice:
			field.Set(reflect.MakeSlice(field.Type(), 1, 1))
		case reflect.Pointer:
			if field.IsNil() {
				field.Set(reflect.New(field.Type().Elem()))
			}
		}
	}

	notFlags := map[string]bool{"Security": true, "WorkflowEventSink": true}
	out := reflect.ValueOf(config(opts, nil, healthz.New())).Elem()
	for i := range out.NumField() {
		name := out.Type().Field(i).Name
		if out.Field(i).IsZero() && !notFlags[name] {
			t.Errorf("%s.%s is not set", reflect.TypeFor[runtime.Config](), name)
		}
	}
}
