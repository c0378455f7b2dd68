package provider

import (
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientauth "k8s.io/client-go/pkg/apis/clientauthentication/v1"
)

const (
	// infoVariable carries the question, as credential plugins of client-go expect it.
	infoVariable = "KUBERNETES_EXEC_INFO"
	// keyVariable carries the key alone, for plugins that do not read JSON.
	keyVariable = "CREDPROXY_TOKEN_KEY"
	// safePath is where a plugin finds programs unless the operator says otherwise: only root writes there.
	safePath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
)

// protocol is the version that is asked for, and the only one that is taken for an answer.
func protocol() metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: clientauth.SchemeGroupVersion.String(), Kind: "ExecCredential"}
}

// environment is all that a call's process gets. The key is in nothing else: no argument, and no path.
func environment(p Provider, key string, lookup func(string) (string, bool)) []string {
	env := []string{"PATH=" + safePath, keyVariable + "=" + key, infoVariable + "=" + question(p.Name, key)}
	for _, name := range p.PassEnv {
		if value, ok := lookup(name); ok {
			env = append(env, name+"="+value)
		}
	}
	for _, v := range p.Env {
		env = append(env, v.Name+"="+v.Value)
	}
	return env
}

// question is the ExecCredential that a plugin reads: nobody sits at a terminal, and the key is where plugins look for
// settings of one cluster.
func question(provider, key string) string {
	config, err := json.Marshal(map[string]string{"provider": provider, "key": key})
	if err != nil {
		panic(err) // strings always encode
	}
	data, err := json.Marshal(clientauth.ExecCredential{
		TypeMeta: protocol(),
		Spec:     clientauth.ExecCredentialSpec{Cluster: &clientauth.Cluster{Config: runtime.RawExtension{Raw: config}}},
	})
	if err != nil {
		panic(err) // and so does this
	}
	return string(data)
}
