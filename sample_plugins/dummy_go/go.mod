module dummy

go 1.24

require github.com/falcosecurity/plugin-sdk-go v0.8.3
