module go_json

go 1.20
