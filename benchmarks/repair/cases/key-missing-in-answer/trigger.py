from assistant.weather import forecast

forecast({"city": "Bergen", "days": [{"date": "2026-02-14", "rain": {"mm": 3.5}}, {"date": "2026-02-15"}]})
