package spec

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestADeepCopyIsEqualAndSharesNothing(t *testing.T) {
	var list CredProxyList
	fill(reflect.ValueOf(&list).Elem())
	check := func(name string, original, copied any) {
		if diff := cmp.Diff(original, copied); diff != "" {
			t.Errorf("%s is not copied (-want +got):\n%s", name, diff)
		}
		for _, where := range shared(name, reflect.ValueOf(original), reflect.ValueOf(copied)) {
			t.Errorf("shared: %s", where)
		}
	}
	check("CredProxyList", &list, list.DeepCopy())
	check("CredProxy", &list.Items[0], list.Items[0].DeepCopy())
	check("CredProxySpec", &list.Items[0].Spec, list.Items[0].Spec.DeepCopy())
	check("CredProxyStatus", list.Items[0].Status, list.Items[0].Status.DeepCopy())
}

func TestADeepCopyOfNothingIsNothing(t *testing.T) {
	if (*CredProxyList)(nil).DeepCopy() != nil || (*CredProxy)(nil).DeepCopy() != nil ||
		(*CredProxySpec)(nil).DeepCopy() != nil || (*CredProxyStatus)(nil).DeepCopy() != nil {
		t.Error("a copy of nil is not nil")
	}
	if diff := cmp.Diff(&CredProxyList{}, (&CredProxyList{}).DeepCopy()); diff != "" {
		t.Errorf("empty list (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&CredProxy{Status: &CredProxyStatus{}}, (&CredProxy{Status: &CredProxyStatus{}}).DeepCopy()); diff != "" {
		t.Errorf("empty object (-want +got):\n%s", diff)
	}
}

// fill sets every exported field to something.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key)
		fill(value)
		v.SetMapIndex(key, value)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[metav1.Time]() {
			v.Set(reflect.ValueOf(metav1.NewTime(time.Unix(1, 0).UTC())))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i))
			}
		}
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8:
		v.SetUint(1)
	default:
		v.SetInt(1)
	}
}

// shared lists the places where two values have the same memory.
func shared(at string, a, b reflect.Value) []string {
	var found []string
	switch a.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice:
		if !a.IsNil() && a.Pointer() == b.Pointer() {
			found = append(found, at)
		}
	}
	switch a.Kind() {
	case reflect.Pointer:
		if !a.IsNil() {
			found = append(found, shared(at, a.Elem(), b.Elem())...)
		}
	case reflect.Slice:
		for i := range a.Len() {
			found = append(found, shared(fmt.Sprintf("%s[%d]", at, i), a.Index(i), b.Index(i))...)
		}
	case reflect.Struct:
		for i := range a.NumField() {
			if a.Type() != reflect.TypeFor[metav1.Time]() {
				found = append(found, shared(at+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i))...)
			}
		}
	}
	return found
}
