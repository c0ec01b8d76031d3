"""A scene that takes place inside another one, such as a conference in a hotel."""
