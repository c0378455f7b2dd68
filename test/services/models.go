package main

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// answer is what the models say.
const answer = "pong"

// anthropic is the part of Anthropic's API that a message needs, at once or as a stream of events.
func anthropic() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/messages", func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ Stream bool }
		if json.NewDecoder(r.Body).Decode(&asked) != nil {
			http.Error(w, "{}", http.StatusBadRequest)
			return
		}
		if asked.Stream {
			streamMessage(w)
			return
		}
		writeJSON(w, message([]any{map[string]any{"type": "text", "text": answer}}, "end_turn"))
	})
	return mux
}

func message(content []any, stop any) map[string]any {
	return map[string]any{
		"id": "msg_1", "type": "message", "role": "assistant", "model": "any", "content": content, "stop_reason": stop,
		"stop_sequence": nil, "usage": map[string]any{"input_tokens": 1, "output_tokens": 1},
	}
}

func streamMessage(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream")
	send := func(event string, fields map[string]any) {
		fields["type"] = event
		data, _ := json.Marshal(fields)
		fmt.Fprintf(w, "event: %s\ndata: %s\n\n", event, data)
	}
	send("message_start", map[string]any{"message": message([]any{}, nil)})
	send("content_block_start", map[string]any{"index": 0, "content_block": map[string]any{"type": "text", "text": ""}})
	send("content_block_delta", map[string]any{"index": 0, "delta": map[string]any{"type": "text_delta", "text": answer}})
	send("content_block_stop", map[string]any{"index": 0})
	send("message_delta", map[string]any{"delta": map[string]any{"stop_reason": "end_turn", "stop_sequence": nil}, "usage": map[string]any{"output_tokens": 1}})
	send("message_stop", map[string]any{})
}

// openai is the part of OpenAI's API that a chat needs.
func openai() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, map[string]any{"id": "chat-1", "object": "chat.completion", "created": 1, "model": "any", "choices": []any{
			map[string]any{"index": 0, "finish_reason": "stop", "message": map[string]any{"role": "assistant", "content": answer}},
		}})
	})
	return mux
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}
